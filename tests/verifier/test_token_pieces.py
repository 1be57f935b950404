"""Tokens with several pieces of evidence: a machine and its devices, each bound to the token."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from wasmtime_attestation.appraisal.token import appraise_token
from wasmtime_attestation.checks import Ledger, Outcome
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsements.x509 import der
from wasmtime_attestation.errors import PolicyError, RejectedError, UnavailableError
from wasmtime_attestation.policy import HARDWARE_ONLY, AppraisalPolicy, load
from wasmtime_attestation.verifier.expectations import Expected
from wasmtime_attestation.verifier.token import VerifiedToken, verify_token
from wasmtime_attestation.wit import Status, TeeType

from tests.fakes import amd, nvidia, nvidia_rim
from tests.fakes.amd import AT
from tests.fakes.nvidia import BLACKWELL, HOPPER, SWITCH, Device
from tests.fakes.token import NONCE, Forger, bind, encode, evidence_members

FORGER = Forger()
BOUND = bind(NONCE, FORGER.thumbprint, None, None, None)
DEVICE_NONCE = hashlib.sha256(b"wasmtime:attestation device nonce\0" + BOUND).digest()
MANIFESTS = {
    HOPPER.chip: (nvidia_rim.DRIVER, nvidia_rim.VBIOS),
    BLACKWELL.chip: nvidia_rim.BLACKWELL,
    SWITCH.chip: nvidia_rim.SWITCH,
}
ROOTS = Anchors((*amd.real_anchors()._roots, *nvidia.real_anchors()._roots))
MACHINE = evidence_members(FORGER.machine.collect(BOUND))


def device(
    of: Device, nonce: bytes = DEVICE_NONCE, *, manifests: bool = True, kind: str = "nvidia-gpu"
) -> dict[str, Any]:
    """Returns evidence of a device as tokens carry it."""
    endorsements = [("x509-certificate", der(c)) for c in of.chain()]
    if manifests:
        endorsements += [("nvidia-rim", manifest.xml()) for manifest in MANIFESTS[of.chip]]
    return {
        "type": kind,
        "data": encode(of.report(nonce=nonce)),
        "endorsements": [{"type": t, "data": encode(data)} for t, data in endorsements],
    }


def verify(*pieces: dict[str, Any], ledger: Ledger | None = None) -> VerifiedToken:
    return verify_token(
        FORGER.sign(FORGER.payload() | {"evidence": list(pieces)}),
        Expected(NONCE),
        Endorsements(),
        at=AT + timedelta(seconds=10),
        anchors=ROOTS,
        ledger=ledger or Ledger(),
    )


def test_a_machine_and_its_devices() -> None:
    ledger = Ledger()
    verdict = verify(
        MACHINE,
        device(HOPPER),
        device(BLACKWELL),
        device(SWITCH, kind="nvidia-switch"),
        ledger=ledger,
    ).verdict

    assert [e.name for e in verdict.environments] == [
        "amd-sev-snp",
        "nvidia-gpu-1",
        "nvidia-gpu-2",
        "other-3",
    ]
    assert verdict.tee_type is TeeType.AMD_SEV_SNP
    passed = {(c.id, c.evidence) for c in ledger.checks if c.outcome is Outcome.PASSED}
    assert {("token.evidence", None), ("evidence.binding", 0)} <= passed
    assert {("nvidia.nonce", 1), ("nvidia.nonce", 2), ("nvidia.nonce", 3)} <= passed


@pytest.mark.parametrize(
    ("pieces", "says"),
    [
        ([], "carries no evidence"),
        ([MACHINE, MACHINE], "behind other evidence"),
        ([device(HOPPER), MACHINE], "behind other evidence"),
        ([MACHINE, device(HOPPER), MACHINE], "behind other evidence"),
    ],
)
def test_one_machine_at_most_and_first(pieces: list[dict[str, Any]], says: str) -> None:
    ledger = Ledger()
    with pytest.raises(RejectedError, match=says) as caught:
        verify(*pieces, ledger=ledger)
    assert [finding.check for finding in caught.value.findings] == ["token.evidence"]
    assert not any(check.id.startswith(("snp.", "nvidia.")) for check in ledger.checks)


def test_a_device_counts_once() -> None:
    with pytest.raises(RejectedError, match=r"nvidia\.device: evidence \[2\]: .* evidence \[1\]"):
        verify(MACHINE, device(HOPPER), device(HOPPER))


def test_every_piece_is_bound_and_every_failure_is_named() -> None:
    with pytest.raises(RejectedError) as caught:
        verify(MACHINE, device(HOPPER, NONCE), device(BLACKWELL, bytes(32)))
    assert [(f.check, f.detail[:12]) for f in caught.value.findings] == [
        ("nvidia.nonce", "evidence [1]"),
        ("nvidia.nonce", "evidence [2]"),
    ]


def test_a_forged_piece_outweighs_a_missing_endorsement() -> None:
    without = device(HOPPER, manifests=False)
    with pytest.raises(UnavailableError, match=r"evidence \[1\]: missing"):
        verify(MACHINE, without, device(BLACKWELL))
    with pytest.raises(RejectedError, match=r"evidence \[2\]"):
        verify(MACHINE, without, device(BLACKWELL, NONCE))


def appraised(policy: AppraisalPolicy, *pieces: dict[str, Any]) -> Status:
    at = AT + timedelta(seconds=10)
    return appraise_token(verify(*pieces).verdict, policy, at=at).status


def refusals(policy: AppraisalPolicy, *pieces: dict[str, Any]) -> Iterable[str]:
    with pytest.raises(PolicyError) as caught:
        appraised(policy, *pieces)
    return [f"{finding.check} {finding.detail[:12]}" for finding in caught.value.findings]


def test_every_piece_is_appraised() -> None:
    assert appraised(HARDWARE_ONLY, MACHINE, device(HOPPER)) is Status.AFFIRMING

    no_gpus = load("p", b'schema = 1\naccept = ["amd-sev-snp"]')
    assert refusals(no_gpus, MACHINE, device(HOPPER)) == ["policy.accept evidence [1]"]

    other = load(
        "p", b'schema = 1\naccept = ["nvidia-gpu", "amd-sev-snp"]\n[gpu]\nexpected-count = 2'
    )
    assert appraised(other, MACHINE, device(HOPPER), device(BLACKWELL)) is Status.AFFIRMING
    assert refusals(other, MACHINE, device(HOPPER)) == ["policy.gpu-count evidence [1]"]
    assert refusals(other, MACHINE) == ["policy.gpu-count evidence of "]


def test_what_the_token_says_is_judged_once() -> None:
    policy = load(
        "p",
        b'schema = 1\naccept = ["nvidia-gpu", "amd-sev-snp"]\nissuers = ["somebody"]\n'
        b"guest-digests = []\nmaximum-age-seconds = 5",
    )
    assert refusals(policy, MACHINE, device(HOPPER)) == [
        "policy.issuer evidence [0]",
        "policy.age evidence [0]",
        "policy.guest-digest evidence [0]",
    ]


def test_the_machines_software_counts_and_a_devices_does_not() -> None:
    policy = load(
        "p",
        b'schema = 1\naccept = ["nvidia-gpu", "amd-sev-snp"]\nrequire-reference-values = true',
    )
    assert refusals(policy, MACHINE, device(HOPPER)) == ["policy.reference-values evidence [0]"]
    assert refusals(policy, device(HOPPER)) == ["policy.reference-values policy p has"]
