"""Quotes that only say which PCK signed: its certificate comes with the endorsements."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography import x509
from wasmtime_attestation.checks import Outcome
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsements.x509 import pem
from wasmtime_attestation.errors import RejectedError, UnavailableError
from wasmtime_attestation.evidence.tdx import decode

from tests.fakes.intel import PLATFORM, Collateral, Platform, certificate
from tests.verifier.tdx_verification import rejection, verify

PLAIN, RSA_2048, RSA_3072 = (replace(PLATFORM, certification=kind) for kind in (1, 2, 3))
ALL = (PLAIN, RSA_2048, RSA_3072)
CHAIN = (PLATFORM.pck, PLATFORM.authority, PLATFORM.root)
OTHER_TCB = replace(PLATFORM, components=bytes([6] * 8 + [0] * 8))


def given(*certificates: x509.Certificate) -> Endorsements:
    return Collateral(PLATFORM).endorsements() + Endorsements(certificates)


@pytest.mark.parametrize("platform", ALL, ids=["plain", "RSA-2048", "RSA-3072"])
@pytest.mark.parametrize("version", [4, 5])
def test_the_chain_comes_from_the_endorsements(platform: Platform, version: int) -> None:
    quote = replace(platform, version=version).quote()
    for certificates in (CHAIN, CHAIN[::-1], (OTHER_TCB.pck, *CHAIN)):
        verified = verify(quote, given(*certificates))
        assert verified.tdx.tcb_status == "UpToDate"
        assert verified.tdx.pck.certificate == PLATFORM.pck
        assert all(
            check.outcome is Outcome.PASSED
            for check in verified.checks
            if check.id.startswith(("tdx.", "intel."))
        )


def test_what_is_missing_is_named() -> None:
    quote = PLAIN.quote()
    for certificates, check, says in (
        ((), r"intel\.pck:", f"PPID {'00' * 16}, CPUSVN {PLATFORM.components.hex()}, PCESVN 11"),
        (CHAIN[:1], r"intel\.pck-ca:", "Intel SGX PCK Platform CA and the root"),
        (CHAIN[:2], r"intel\.root:", "Intel SGX Root CA"),
    ):
        with pytest.raises(UnavailableError, match=check) as caught:
            verify(quote, given(*certificates))
        assert says in caught.value.message


@pytest.mark.parametrize(
    "fields",
    [{"ppid": b"\1" * 16}, {"cpu_svn": bytes(16)}, {"pce_svn": b"\x0c\0"}, {"pce_id": b"\1\0"}],
    ids=lambda fields: next(iter(fields)),
)
def test_the_certificate_of_another_pck(fields: dict[str, bytes]) -> None:
    quote = PLAIN.quote(chain=PLAIN.pck_reference(**fields))

    finding = rejection(quote, given(*CHAIN))

    assert finding.check == "intel.pck"
    assert "none of the 1 that were given is it" in finding.detail


def test_every_bit_of_a_plain_reference_counts() -> None:
    quote = PLAIN.quote()
    start = len(quote) - len(PLAIN.pck_reference())
    endorsements = given(*CHAIN)
    for bit in range(8 * len(PLAIN.pck_reference())):
        data = bytearray(quote)
        data[start + bit // 8] ^= 1 << bit % 8
        assert rejection(bytes(data), endorsements).check == "intel.pck"


def test_of_several_the_one_that_signed_is_taken() -> None:
    """Whose encrypted PPID it is, only Intel can read; another key of the same TCB did not sign."""
    stranger = replace(RSA_3072, owner="else")
    both = given(stranger.pck, *CHAIN)

    assert verify(RSA_3072.quote(), both).tdx.pck.certificate == PLATFORM.pck
    finding = rejection(RSA_3072.quote(), given(stranger.pck, *CHAIN[1:]))
    assert finding.check == "intel.pck"
    assert "not signed by Intel SGX PCK Platform CA" in finding.detail


def test_a_pck_certificate_that_is_none() -> None:
    quote = PLAIN.quote()
    wrong = Endorsements.from_files([("pck", pem(_without_extensions()))])
    finding = rejection(quote, given(*wrong.certificates, *CHAIN[1:]))
    assert finding.check == "intel.pck"
    assert "no PCK certificate can be used" in finding.detail
    assert verify(quote, given(*wrong.certificates, *CHAIN)).tdx.tcb_status == "UpToDate"


def _without_extensions() -> x509.Certificate:
    ca = PLATFORM.ca
    return certificate("Intel SGX PCK Certificate", PLATFORM.key("PCK"), ca, PLATFORM.key(ca))


def test_a_chain_that_is_given_does_not_replace_the_one_in_the_quote() -> None:
    """Nor does it count against it."""
    stranger = Platform("else")
    verified = verify(PLATFORM.quote(), given(stranger.pck, stranger.authority, stranger.root))
    assert verified.tdx.pck.certificate == PLATFORM.pck


def test_revocation_is_checked_as_ever() -> None:
    without = Collateral(PLATFORM, without=frozenset({"pck_crl"})).endorsements()
    with pytest.raises(UnavailableError, match=r"intel\.pck-crl"):
        verify(PLAIN.quote(), without + Endorsements(CHAIN))


def test_the_reference_is_read_from_its_place() -> None:
    reference = decode(RSA_2048.quote()).pck_reference
    assert reference is not None
    assert (reference.ppid, reference.cpu_svn) == (None, PLATFORM.components)
    assert (reference.pce_svn, reference.pce_id) == (11, b"\0\0")
    plain = decode(PLAIN.quote(chain=PLAIN.pck_reference(ppid=bytes(range(16))))).pck_reference
    assert plain is not None
    assert plain.ppid == bytes(range(16))
    assert decode(PLATFORM.quote()).pck_reference is None


@pytest.mark.parametrize(
    ("platform", "data", "says"),
    [
        (PLAIN, bytes(35), "type 1 has 36 bytes, not 35"),
        (RSA_2048, bytes(36), "type 2 has 276 bytes, not 36"),
        (RSA_3072, bytes(405), "type 3 has 404 bytes, not 405"),
        (replace(PLATFORM, certification=4), b"", "of type 4; 1, 2, 3 and 5 are known"),
        (replace(PLATFORM, certification=7), b"", "of type 7; 1, 2, 3 and 5 are known"),
    ],
)
def test_other_certification_data_is_refused(platform: Platform, data: bytes, says: str) -> None:
    with pytest.raises(RejectedError, match=says) as caught:
        decode(platform.quote(chain=data))
    assert caught.value.findings[0].check == "tdx.format"
