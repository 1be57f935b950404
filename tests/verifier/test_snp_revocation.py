"""AMD revokes ASKs and ASVKs in a list that the ARK signs; a list that is no good is no list."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from wasmtime_attestation.checks import Outcome
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsements.x509 import der
from wasmtime_attestation.errors import Finding
from wasmtime_attestation.evidence.snp_fields import SignerKind

from tests.fakes.amd import AT, GENOA, MILAN, TURIN_VLEK, VLEK, Machine
from tests.fakes.certificates import crl, crl_without_next_update
from tests.verifier.snp_verification import Verified, rejection, verify

SECOND = timedelta(seconds=1)
ARK = MILAN.amd.ark.certificate
ARK_KEY = MILAN.amd.ark.key
ASK_SERIAL = MILAN.amd.issuer(SignerKind.VCEK).certificate.serial_number
ASVK_SERIAL = MILAN.amd.issuer(SignerKind.VLEK).certificate.serial_number
EMPTY = crl(ARK, ARK_KEY)


def with_lists(*lists: x509.CertificateRevocationList, machine: Machine = MILAN) -> Verified:
    return verify(machine.report(), machine.endorsements(*lists))


def rejected(*lists: x509.CertificateRevocationList, machine: Machine = MILAN) -> Finding:
    finding = rejection(machine.report(), machine.endorsements(*lists))
    assert finding.check == "amd.revocation"
    return finding


def test_without_a_list_nothing_is_said_about_revocation() -> None:
    verified = with_lists()

    assert verified.outcome("amd.revocation") is Outcome.NOT_CHECKED
    assert not verified.snp.revocation_checked


@pytest.mark.parametrize("machine", [MILAN, VLEK], ids=["VCEK", "VLEK"])
def test_a_current_list_that_does_not_name_the_authority(machine: Machine) -> None:
    verified = with_lists(EMPTY, machine=machine)

    assert verified.outcome("amd.revocation") is Outcome.PASSED
    assert verified.snp.revocation_checked


def test_a_list_is_read_from_a_file_in_pem_and_in_der() -> None:
    """One path that a user takes: every file of endorsements is read and joined with the others."""
    pem = EMPTY.public_bytes(Encoding.PEM)
    for data in (der(EMPTY), pem, pem + pem):
        endorsements = MILAN.endorsements() + Endorsements.from_files([("crl", data)])
        assert len(endorsements.crls) == 1
        assert verify(MILAN.report(), endorsements).snp.revocation_checked


@pytest.mark.parametrize(
    ("machine", "serial", "name"),
    [(MILAN, ASK_SERIAL, "SEV-Milan"), (VLEK, ASVK_SERIAL, "SEV-VLEK-Milan")],
    ids=["ASK", "ASVK"],
)
def test_a_revoked_authority(machine: Machine, serial: int, name: str) -> None:
    finding = rejected(crl(ARK, ARK_KEY, revoked=[7, serial]), machine=machine)

    assert finding.detail == f"AMD revoked {name}"


def test_a_revoked_asvk_of_turin() -> None:
    ark = TURIN_VLEK.amd.ark
    serial = TURIN_VLEK.amd.issuer(SignerKind.VLEK).certificate.serial_number
    verify(TURIN_VLEK.report(), TURIN_VLEK.endorsements(crl(ark.certificate, ark.key)))
    revoking = crl(ark.certificate, ark.key, revoked=[serial])

    assert rejected(revoking, machine=TURIN_VLEK).detail == "AMD revoked SEV-VLEK-Turin"


def test_the_revocation_of_the_other_authority_does_not_matter() -> None:
    with_lists(crl(ARK, ARK_KEY, revoked=[ASVK_SERIAL]))
    with_lists(crl(ARK, ARK_KEY, revoked=[ASK_SERIAL]), machine=VLEK)


def test_serial_numbers_of_vceks_mean_nothing() -> None:
    """All of them are 0 at AMD, so a list that has the number names none of them."""
    serial = MILAN.key.certificate.serial_number

    with_lists(crl(ARK, ARK_KEY, revoked=[serial]))


def test_of_several_lists_one_that_revokes_is_enough() -> None:
    revoking = crl(ARK, ARK_KEY, revoked=[ASK_SERIAL])

    assert "revoked" in rejected(EMPTY, revoking).detail
    assert "revoked" in rejected(revoking, EMPTY).detail


def test_a_list_holds_from_this_update_to_next_update_to_the_second() -> None:
    with_lists(crl(ARK, ARK_KEY, begin=AT))
    with_lists(crl(ARK, ARK_KEY, end=AT))

    future = rejected(crl(ARK, ARK_KEY, begin=AT + SECOND))
    stale = rejected(crl(ARK, ARK_KEY, begin=AT - 2 * SECOND, end=AT - SECOND))

    assert "fetch a current one" in future.detail
    assert "fetch a current one" in stale.detail


def test_outdated_lists_beside_a_current_one_only_count_against() -> None:
    """A folder that gains a list every month keeps working; a revocation is never forgotten."""
    begin, end = AT - 2 * SECOND, AT - SECOND
    stale = crl(ARK, ARK_KEY, begin=begin, end=end)
    revoking = crl(ARK, ARK_KEY, begin=begin, end=end, revoked=[ASK_SERIAL])

    assert with_lists(stale, EMPTY).snp.revocation_checked
    assert rejected(EMPTY, revoking).detail == "AMD revoked SEV-Milan"


def test_a_list_without_an_end() -> None:
    assert "fetch a current one" in rejected(crl_without_next_update(ARK, ARK_KEY)).detail


@pytest.mark.parametrize("machine", [MILAN, GENOA], ids=["by its ASK", "by another line's ASK"])
def test_a_list_in_the_arks_name_that_the_ark_did_not_sign(machine: Machine) -> None:
    finding = rejected(crl(ARK, machine.issuer_key))

    assert "not signed by the ARK it names" in finding.detail


def test_a_partial_list_is_not_taken_for_the_whole() -> None:
    """RFC 5280 section 5.2.5: it is critical, and a list with it may leave out the ASK."""
    partial = x509.IssuingDistributionPoint(
        full_name=None,
        relative_name=None,
        only_contains_user_certs=True,
        only_contains_ca_certs=False,
        only_some_reasons=None,
        indirect_crl=False,
        only_contains_attribute_certs=False,
    )

    finding = rejected(crl(ARK, ARK_KEY, critical_extension=partial))

    assert "has extension 2.5.29.28; give a whole one" in finding.detail


def test_the_list_of_another_issuer_counts_for_nothing() -> None:
    """Not even where it names the serial number of this line's ASK."""
    foreign = crl(GENOA.amd.ark.certificate, GENOA.amd.ark.key, revoked=[ASK_SERIAL])
    by_ask = crl(MILAN.chain()[1], MILAN.issuer_key, revoked=[ASK_SERIAL])

    verified = with_lists(foreign, by_ask)
    (check,) = (c for c in verified.checks if c.id == "amd.revocation")

    assert check.detail.endswith("what was given is of ARK-Genoa, SEV-Milan")
    assert verified.outcome("amd.revocation") is Outcome.NOT_CHECKED
    assert with_lists(foreign, EMPTY).snp.revocation_checked


def test_a_chain_that_fails_is_not_saved_by_a_list() -> None:
    vcek, _, ark = MILAN.chain()
    endorsements = Endorsements((vcek, *GENOA.chain()[1:], ark), (EMPTY,))

    assert rejection(MILAN.report(), endorsements).check == "amd.vek"
