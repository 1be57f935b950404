"""Real or simulated is decided by the root alone, whatever the evidence says of itself."""

from __future__ import annotations

from dataclasses import replace

import pytest
from wasmtime_attestation.attesters.simulated import SimulatedAttester
from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.claims import Claims
from wasmtime_attestation.endorsements.anchors import AMD_ROOTS, Anchors
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.errors import RejectedError
from wasmtime_attestation.evidence.envelope import Evidence
from wasmtime_attestation.wit import TeeType

from tests import vectors
from tests.fakes.amd import AT, MACHINES, MILAN, Machine, real_anchors
from tests.verifier.alike import verify as verify_evidence
from tests.verifier.snp_verification import AMD, rejection, verify

START = int(AT.timestamp())


def verified(evidence: Evidence, anchors: Anchors) -> Claims:
    return verify_evidence(
        evidence,
        Endorsements(),
        nonce=None,
        report_data=None,
        at=AT,
        anchors=anchors,
        ledger=Ledger(),
    )


@pytest.mark.parametrize("machine", MACHINES, ids=lambda m: f"{m.product_name}-v{m.version}")
def test_what_ends_at_a_root_that_was_named_is_simulated(machine: Machine) -> None:
    anchors = AMD.trusting([machine.amd.root_fingerprint])

    claims = verify(machine.report(), machine.chain(), anchors=anchors).claims

    assert claims.simulated
    assert claims.tee_type is TeeType.SIMULATED
    assert claims.platform is TeeType.AMD_SEV_SNP
    assert claims.to_json()["tee_type"] == "simulated"
    assert claims.anchor == f"trusted root {machine.amd.root_fingerprint.hex()[:16]}"


@pytest.mark.parametrize("vector", vectors.SNP, ids=str)
def test_a_pinned_root_that_was_named_too_is_simulated(vector: vectors.SnpVector) -> None:
    """A user who names AMD's own root must not make a simulation out of reach of the word."""
    anchors = AMD.trusting([root.spki_sha256 for root in AMD_ROOTS])

    claims = verify(vector.report(), vector.chain(), at=vectors.AT, anchors=anchors).claims

    assert claims.tee_type is TeeType.SIMULATED


def test_trust_can_only_be_added_as_simulated() -> None:
    fingerprint = MILAN.amd.root_fingerprint

    for anchors in (
        Anchors([]).trusting([fingerprint]),
        real_anchors().trusting([fingerprint]),
        AMD.trusting([fingerprint]).trusting([b"\0" * 32]),
        AMD.trusting([b"\0" * 32]).trusting([fingerprint]),
    ):
        assert verify(MILAN.report(), MILAN.chain(), anchors=anchors).claims.simulated


def test_nothing_is_trusted_without_an_anchor() -> None:
    assert rejection(MILAN.report(), MILAN.chain(), anchors=Anchors([])).check == "amd.ark"
    assert rejection(MILAN.report(), MILAN.chain(), anchors=AMD).check == "amd.ark"


def test_a_named_root_speaks_for_every_line_and_a_pinned_one_for_its_own() -> None:
    (milan,) = (root for root in AMD_ROOTS if root.name == "AMD ARK-Milan")
    vector = vectors.MILAN_V3
    report, chain = vector.report(), vector.chain()
    posing = Anchors([replace(milan, product_line=root.product_line) for root in AMD_ROOTS[1:]])

    finding = rejection(report, chain, at=vectors.AT, anchors=posing)

    assert finding.check == "snp.product"
    anonymous = AMD.trusting([milan.spki_sha256])
    assert verify(report, chain, at=vectors.AT, anchors=anonymous).claims.simulated


def test_a_simulated_host_is_believed_where_its_root_was_named() -> None:
    attester = SimulatedAttester(START)
    evidence = attester.collect(b"\x07" * 64)

    claims = verified(evidence, AMD.trusting([attester.root_fingerprint]))

    assert claims.tee_type is TeeType.SIMULATED
    assert claims.report_data == b"\x07" * 64


def test_a_simulated_host_is_believed_nowhere_else() -> None:
    """Its evidence brings its root along, and that counts for nothing."""
    attester, other = SimulatedAttester(START), SimulatedAttester(START)
    evidence = attester.collect(bytes(64))
    assert len(evidence.endorsements) == 3

    for anchors in (AMD, AMD.trusting([other.root_fingerprint])):
        with pytest.raises(RejectedError) as caught:
            verified(evidence, anchors)
        assert [finding.check for finding in caught.value.findings] == ["amd.ark"]
