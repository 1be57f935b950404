"""Whatever bit of a quote is turned and wherever it is cut, the answer is a clean no."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.errors import InvalidArgumentError, RejectedError, UnavailableError
from wasmtime_attestation.evidence import tdx
from wasmtime_attestation.evidence.envelope import Evidence, EvidenceType
from wasmtime_attestation.evidence.recognise import recognise

from tests import vectors
from tests.fakes.intel import PLATFORM, PLATFORM_15, Collateral, real_anchors
from tests.verifier.alike import verify as verify_evidence
from tests.verifier.tdx_verification import INTEL, verify
from tests.verifier.test_tdx_real import AT_B, AT_C, SET_B, SET_C, quote

# A turned bit in a country's name; in production the warning is not shown.
pytestmark = pytest.mark.filterwarnings("ignore:Attribute's length must be")

REAL = pytest.mark.parametrize(
    ("name", "files", "at"),
    [("tdx/dcapqvl_tdx_quote_v4.bin", SET_B, AT_B), ("tdx/gotdx_quote_v5.dat", SET_C, AT_C)],
    ids=["v4", "v5"],
)


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def check_flips(name: str, files: tuple[str, ...], at: object, step: int) -> None:
    data, endorsements = quote(name), vectors.endorsements(*files)
    declared = tdx.decode(data).size
    for bit in range(0, declared * 8, step):
        with pytest.raises(RejectedError):
            verify(flipped(data, bit), endorsements, at=at, anchors=INTEL)  # type: ignore[arg-type]
    for bit in range(declared * 8, len(data) * 8, 97):
        verify(flipped(data, bit), endorsements, at=at, anchors=INTEL)  # type: ignore[arg-type]


@REAL
def test_a_flipped_bit_in_a_real_quote(name: str, files: tuple[str, ...], at: object) -> None:
    check_flips(name, files, at, step=19)


@pytest.mark.weekly
@REAL
def test_every_flipped_bit_in_a_real_quote(name: str, files: tuple[str, ...], at: object) -> None:
    check_flips(name, files, at, step=1)


@REAL
def test_every_cut_of_a_real_quote(name: str, files: tuple[str, ...], at: object) -> None:
    del files, at
    data = quote(name)
    for size in range(tdx.decode(data).size):
        with pytest.raises(RejectedError):
            reject_cut(data[:size])


def reject_cut(data: bytes) -> None:
    subject = recognise(data)
    assert isinstance(subject, tuple)
    (evidence,) = subject
    verify_evidence(
        evidence,
        Endorsements(),
        nonce=None,
        report_data=None,
        at=AT_B,
        anchors=INTEL,
        ledger=Ledger(),
    )


def check_collateral(bits: Iterable[int]) -> None:
    """A bit in a statement, a list or a certificate: refused, or left out and then missing."""
    data, text = quote("tdx/dcapqvl_tdx_quote_v4.bin"), vectors.read(SET_B[0])
    # The chain of the PCK CRL is not used: the CA in the quote signs the list.
    unused = range(text.index(b'"pck_crl_issuer_chain"'), text.index(b'"root_ca_crl"'))
    for bit in bits:
        if bit // 8 in unused:
            continue
        changed = flipped(text, bit)
        if changed.split() == text.split() or changed.lower() == text.lower():
            continue
        try:
            endorsements = Endorsements.from_files([("collateral", changed)])
            verify(data, endorsements, at=AT_B, anchors=INTEL)
        except (RejectedError, UnavailableError, InvalidArgumentError):
            continue
        same = Endorsements.from_files([("collateral", text)])
        # A second copy of a chain, or its root, may suffer: what is used is unchanged.
        assert endorsements.statements == same.statements, f"bit {bit}"
        assert [crl.tbs_certlist_bytes for crl in endorsements.crls] == [
            crl.tbs_certlist_bytes for crl in same.crls
        ], f"bit {bit}"


def test_a_flipped_bit_in_real_collateral() -> None:
    size = len(vectors.read(SET_B[0]))
    check_collateral(range(0, size * 8, 307))


@pytest.mark.slow
def test_many_flipped_bits_in_real_collateral() -> None:
    size = len(vectors.read(SET_B[0]))
    check_collateral(range(0, size * 8, 7))


@given(
    platform=st.sampled_from([PLATFORM, PLATFORM_15]),
    at=st.integers(0, 8000),
    removed=st.integers(0, 40),
    inserted=st.binary(max_size=40),
)
def test_spliced_quotes_are_rejected(
    platform: object, at: int, removed: int, inserted: bytes
) -> None:
    data = QUOTES[platform is PLATFORM_15]
    at %= len(data)
    spliced = data[:at] + inserted + data[at + removed :]
    if spliced[: len(data)] == data:
        return
    with pytest.raises(RejectedError):
        verify(spliced, ENDORSEMENTS, anchors=real_anchors())


QUOTES = (PLATFORM.quote(), PLATFORM_15.quote())
ENDORSEMENTS = Collateral(PLATFORM).endorsements()


@given(st.binary(max_size=2000))
def test_arbitrary_evidence_is_rejected(data: bytes) -> None:
    evidence = Evidence(EvidenceType.INTEL_TDX, data)
    with pytest.raises(RejectedError):
        verify_evidence(
            evidence,
            ENDORSEMENTS,
            nonce=None,
            report_data=None,
            at=AT_B,
            anchors=INTEL,
            ledger=Ledger(),
        )
