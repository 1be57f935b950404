"""A simulated machine makes true reports, and says that it is simulated."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from wasmtime_attestation.attesters.simulated import SimulatedAttester
from wasmtime_attestation.checks import Ledger, Outcome
from wasmtime_attestation.claims import Claims
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsements.x509 import spki_sha256
from wasmtime_attestation.errors import RejectedError
from wasmtime_attestation.evidence.envelope import EndorsementType, EvidenceType
from wasmtime_attestation.evidence.snp import decode
from wasmtime_attestation.verifier import verify
from wasmtime_attestation.wit import TeeInfo, TeeType

START = 1_772_323_200
AT = datetime(2026, 3, 1, tzinfo=UTC)
SIMULATION = SimulatedAttester(START)


def claims(at: datetime, ledger: Ledger | None = None) -> Claims:
    return verify(
        SIMULATION.collect(b"\x5a" * 64),
        Endorsements(),
        nonce=None,
        report_data=b"\x5a" * 64,
        at=at,
        anchors=Anchors.of_vendors().trusting([SIMULATION.root_fingerprint]),
        ledger=ledger or Ledger(),
    )


def test_it_says_what_it_is() -> None:
    assert SIMULATION.info() == TeeInfo(
        TeeType.SIMULATED, supports_attestation=True, provider="simulated", gpu_count=0
    )


def test_its_evidence_is_a_report_with_the_chain_that_proves_it() -> None:
    evidence = SIMULATION.collect(bytes(64))

    assert evidence.type is EvidenceType.AMD_SEV_SNP
    assert [e.type for e in evidence.endorsements] == [EndorsementType.CERTIFICATE] * 3
    names = [
        x509.load_der_x509_certificate(e.data).subject.rfc4514_string()
        for e in evidence.endorsements
    ]
    assert names == ["CN=SEV-VCEK", "CN=SEV-Milan", "CN=ARK-Milan"]


def test_the_report_is_one_of_an_ordinary_milan_machine() -> None:
    report = decode(SIMULATION.collect(b"\x5a" * 64).data)

    assert report.version == 3
    assert report.vmpl == 0
    assert report.report_data == b"\x5a" * 64
    assert not report.policy.debug_allowed
    assert not report.policy.migration_agent_allowed
    assert not report.firmware_is_provisional
    # Anyone can compute what stands for the measurement of nothing.
    text = b"wasmtime:attestation simulated guest"
    assert report.measurement == hashlib.sha384(text).digest()


def test_every_check_passes_but_revocation() -> None:
    ledger = Ledger()

    assert claims(AT, ledger).tee_type is TeeType.SIMULATED
    undone = [check.id for check in ledger.checks if check.outcome is not Outcome.PASSED]
    assert undone == ["amd.revocation"]


def test_its_certificates_live_for_a_year() -> None:
    """The clock of the machine that verifies may be five minutes behind."""
    claims(AT - timedelta(minutes=5))
    claims(AT + timedelta(days=364))
    for at in (AT - timedelta(minutes=5, seconds=1), AT + timedelta(days=365)):
        with pytest.raises(RejectedError, match=r"amd\.validity"):
            claims(at)


def test_the_root_that_it_hands_out_is_the_one_that_it_signs_with() -> None:
    root = x509.load_pem_x509_certificate(SIMULATION.root_pem())

    assert spki_sha256(root) == SIMULATION.root_fingerprint


def test_two_simulations_have_nothing_in_common() -> None:
    one, other = SIMULATION, SimulatedAttester(START)
    reports = [decode(attester.collect(bytes(64)).data) for attester in (one, other)]

    assert one.root_fingerprint != other.root_fingerprint
    assert reports[0].chip_id != reports[1].chip_id
    assert reports[0].report_id != reports[1].report_id
