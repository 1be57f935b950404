"""Whatever bit of a report or of its certificates is turned, the answer is a clean no."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st
from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsements.x509 import der
from wasmtime_attestation.errors import InvalidArgumentError, RejectedError, UnavailableError
from wasmtime_attestation.evidence.envelope import Evidence, EvidenceType
from wasmtime_attestation.evidence.recognise import recognise

from tests import vectors
from tests.fakes.amd import LAYOUT, MILAN
from tests.fakes.certificates import crl
from tests.verifier.alike import verify as verify_evidence
from tests.verifier.snp_verification import AMD, verify

# A turned bit in a country's name; in production the warning is not shown.
pytestmark = pytest.mark.filterwarnings("ignore:Attribute's length must be")

SIZE = 1184
# Every 31st bit, which meets each position in a byte, and the ends of every field.
SAMPLE = sorted(
    set(range(0, SIZE * 8, 31))
    | {offset * 8 for offset, _ in LAYOUT.values()}
    | {(offset + size) * 8 - 1 for offset, size in LAYOUT.values()}
)


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def check_flips(vector: vectors.SnpVector, bits: Iterator[int]) -> None:
    report, chain = vector.report(), vector.chain()
    for bit in bits:
        with pytest.raises(RejectedError):
            verify(flipped(report, bit), chain, at=vectors.AT, anchors=AMD)


@pytest.mark.parametrize("vector", vectors.SNP, ids=str)
def test_a_flipped_bit_in_a_real_report(vector: vectors.SnpVector) -> None:
    check_flips(vector, iter(SAMPLE))


@pytest.mark.weekly
@pytest.mark.parametrize("vector", vectors.SNP, ids=str)
def test_every_flipped_bit_in_a_real_report(vector: vectors.SnpVector) -> None:
    check_flips(vector, iter(range(SIZE * 8)))


@pytest.mark.parametrize("vector", vectors.SNP, ids=str)
def test_every_truncation_of_a_real_report(vector: vectors.SnpVector) -> None:
    """From bytes, as a user gives them: too little to be recognised is rejected as well."""
    report, chain = vector.report(), vector.chain()
    for size in range(SIZE):
        with pytest.raises(RejectedError):
            verify_input(report[:size], chain)


def verify_input(data: bytes, chain: Endorsements) -> None:
    subject = recognise(data)
    assert isinstance(subject, tuple)
    (evidence,) = subject
    verify_evidence(
        evidence, chain, nonce=None, report_data=None, at=vectors.AT, anchors=AMD, ledger=Ledger()
    )


def refused_or_the_same(report: bytes, files: list[bytes], changed: int) -> bool:
    """Whether verification says no with an error of ours, or what is signed did not change.

    The signature of a certificate is a BIT STRING, whose first octet says how many
    of its last bits are unused. Where these are zero, another count means the same
    signature over the same bytes.
    """
    named = [(str(i), data) for i, data in enumerate(files)]
    try:
        endorsements = Endorsements.from_files(named)
        verify(report, endorsements, at=vectors.AT, anchors=AMD)
    except (RejectedError, UnavailableError, InvalidArgumentError):
        return True
    after = x509.load_der_x509_certificate(files[changed])
    return any(
        (after.tbs_certificate_bytes, after.signature)
        == (before.tbs_certificate_bytes, before.signature)
        for before in vectors.MILAN_V3.chain().certificates
    )


@pytest.mark.parametrize("position", range(3), ids=["vcek", "ask", "ark"])
def test_a_flipped_bit_in_a_real_certificate(position: int) -> None:
    check_certificate(position, step=37)


@pytest.mark.weekly
@pytest.mark.parametrize("position", range(3), ids=["vcek", "ask", "ark"])
def test_every_flipped_bit_in_a_real_certificate(position: int) -> None:
    check_certificate(position, step=1)


def check_certificate(position: int, step: int) -> None:
    report = vectors.MILAN_V3.report()
    chain = [der(certificate) for certificate in vectors.MILAN_V3.chain().certificates]
    for bit in range(0, len(chain[position]) * 8, step):
        files = list(chain)
        files[position] = flipped(chain[position], bit)
        assert refused_or_the_same(report, files, position), f"bit {bit}"


def test_a_truncated_certificate_is_no_endorsement() -> None:
    vcek = der(vectors.MILAN_V3.chain().certificates[0])
    for size in range(len(vcek)):
        with pytest.raises(InvalidArgumentError):
            Endorsements.from_files([("vcek", vcek[:size])])
    with pytest.raises(InvalidArgumentError):
        Endorsements.from_files([("vcek", vcek + b"\0")])


def test_a_flipped_bit_in_a_revocation_list_never_passes_for_a_list() -> None:
    """It is unreadable, of another issuer, or not signed by the one that it names."""
    ark = MILAN.amd.ark
    original = crl(ark.certificate, ark.key, revoked=[1, 2, 3])
    assert verify(MILAN.report(), MILAN.endorsements(original)).snp.revocation_checked
    for bit in range(0, len(der(original)) * 8, 7):
        try:
            lists = Endorsements.from_files([("crl", flipped(der(original), bit))])
            snp = verify(MILAN.report(), MILAN.endorsements() + lists).snp
        except (RejectedError, InvalidArgumentError):
            continue
        assert snp.revocation_checked is same_list(original, lists.crls[0]), f"bit {bit}"


def same_list(one: x509.CertificateRevocationList, other: x509.CertificateRevocationList) -> bool:
    return (one.tbs_certlist_bytes, one.signature) == (other.tbs_certlist_bytes, other.signature)


@given(st.binary(max_size=64), st.integers(0, 2000), st.integers(0, 60))
def test_spliced_certificates_are_refused_in_our_own_words(
    inserted: bytes, at: int, removed: int
) -> None:
    chain = [der(certificate) for certificate in vectors.MILAN_V3.chain().certificates]
    at %= len(chain[0])
    chain[0] = chain[0][:at] + inserted + chain[0][at + removed :]

    assert refused_or_the_same(vectors.MILAN_V3.report(), chain, 0)


@given(st.binary(min_size=SIZE, max_size=SIZE) | st.binary(max_size=SIZE))
def test_arbitrary_evidence_is_rejected(data: bytes) -> None:
    evidence = Evidence(EvidenceType.AMD_SEV_SNP, data)
    with pytest.raises(RejectedError):
        verify_evidence(
            evidence,
            MILAN.endorsements(),
            nonce=None,
            report_data=None,
            at=vectors.AT,
            anchors=AMD,
            ledger=Ledger(),
        )
