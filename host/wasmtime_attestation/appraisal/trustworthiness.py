"""What an appraisal says of an attester in AR4SI's terms: eight claims, each with its reason.

Source: draft-ietf-rats-ar4si section 2.3.4, which gives the values their meaning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from wasmtime_attestation.claims import Claims
from wasmtime_attestation.claims.trustworthiness import (
    Aspect,
    TrustClaim,
    TrustVector,
    worst,
)
from wasmtime_attestation.errors import Finding, PolicyError
from wasmtime_attestation.evidence.strict_json import Json
from wasmtime_attestation.policy import AppraisalPolicy
from wasmtime_attestation.result import AttestationResult
from wasmtime_attestation.wit import Status, TeeType

NO_CLAIM = 0
APPROVED = 2
"""Recognised and approved; of hardware: genuine; of memory: encrypted within a TEE."""
APPROVED_BOOT = 3
"""Of executables: those of the boot are approved. Of configuration: no known weakness."""
KNOWN_WEAKNESS = 32
UNRECOGNISED_EXECUTABLES = 33
CONTRAINDICATED = 96
UNRECOGNISED = 97

_Weight = tuple[Aspect, int, int]
"""What a finding is about, and its value as a warning and as a refusal."""
_HARDWARE: _Weight = (Aspect.HARDWARE, KNOWN_WEAKNESS, CONTRAINDICATED)
_SETTING: _Weight = (Aspect.CONFIGURATION, KNOWN_WEAKNESS, CONTRAINDICATED)
_SOFTWARE: _Weight = (Aspect.EXECUTABLES, NO_CLAIM, UNRECOGNISED_EXECUTABLES)
_INSTANCE: _Weight = (Aspect.INSTANCE_IDENTITY, NO_CLAIM, UNRECOGNISED)
_WEIGHTS: Mapping[str, _Weight] = MappingProxyType(
    {
        "policy.accept": (Aspect.HARDWARE, UNRECOGNISED, UNRECOGNISED),
        "policy.simulated": (Aspect.HARDWARE, UNRECOGNISED, UNRECOGNISED),
        "policy.debug": (Aspect.RUNTIME_OPAQUE, CONTRAINDICATED, CONTRAINDICATED),
        "policy.chip-id": _INSTANCE,
        "policy.fmspc": _INSTANCE,
        "policy.csp-id": _INSTANCE,
        "policy.vm-id": _INSTANCE,
        **dict.fromkeys(
            (
                "policy.tcb",
                "policy.launch-tcb",
                "policy.committed-tcb",
                "policy.provisional-firmware",
                "policy.mitigations",
                "policy.tcb-status",
                "policy.tcb-evaluation",
                "policy.advisory",
                "policy.revocation",
                "policy.mrseam",
            ),
            _HARDWARE,
        ),
        **dict.fromkeys(
            (
                "policy.measurement",
                "policy.mrtd",
                "policy.rtmr0",
                "policy.rtmr1",
                "policy.rtmr2",
                "policy.rtmr3",
                "policy.pcrs",
                "policy.guest-svn",
                "policy.guest-digest",
                "policy.reference-values",
                "policy.id-key-digest",
                "policy.author-key-digest",
                "policy.family-id",
                "policy.image-id",
            ),
            _SOFTWARE,
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Appraisal:
    """An appraisal of one environment, whose evidence is authentic.

    Attributes:
        claims: what the evidence says.
        policy: the name of the policy.
        status: what the policy makes of them.
        vector: the same by aspect, with reasons.
        guest_digest: SHA-256 of the guest that the evidence's token names.
    """

    claims: Claims
    policy: str
    status: Status
    vector: TrustVector
    guest_digest: bytes | None = None

    @property
    def stated(self) -> Status:
        """The status that may be stated: no better than the worst claim of the vector."""
        tiers = [claim.tier for claim in self.vector.values()]
        bad = [tier for tier in tiers if tier in (Status.WARNING, Status.CONTRAINDICATED)]
        return worst((self.status, *bad))

    def to_json(self) -> Json:
        """Returns the vector: value, tier and reason of each claim."""
        return {aspect: claim.to_json() for aspect, claim in self.vector.items()}


def appraisal(
    claims: Claims,
    policy: AppraisalPolicy,
    outcome: AttestationResult | PolicyError,
    guest_digest: bytes | None = None,
) -> Appraisal:
    """Returns what an appraisal comes to, whether or not the policy accepts the claims.

    Args:
        claims: what the evidence says.
        policy: what it was appraised with.
        outcome: the result, or the error that has every finding.
        guest_digest: SHA-256 of the guest that the evidence's token names.
    """
    refused = isinstance(outcome, PolicyError)
    status = Status.CONTRAINDICATED if isinstance(outcome, PolicyError) else outcome.status
    vector = trust_vector(claims, policy, outcome.findings, refused=refused)
    return Appraisal(claims, policy.name, status, vector, guest_digest)


def trust_vector(
    claims: Claims, policy: AppraisalPolicy, findings: Sequence[Finding], *, refused: bool
) -> TrustVector:
    """Computes the vector.

    Args:
        claims: what the evidence says; it is authentic.
        policy: what it was appraised with.
        findings: what the appraisal found.
        refused: whether the policy does not accept the claims.
    """
    vector = _without_findings(claims, policy)
    for finding in findings:
        aspect, warned, denied = _WEIGHTS.get(finding.check, _SETTING)
        value = denied if refused else warned
        if value > vector[aspect].value:
            vector[aspect] = TrustClaim(value, f"{finding.check}: {finding.detail}")
    return MappingProxyType(vector)


def _without_findings(claims: Claims, policy: AppraisalPolicy) -> dict[Aspect, TrustClaim]:
    nothing = "the evidence says nothing of it"
    return {
        Aspect.INSTANCE_IDENTITY: TrustClaim(NO_CLAIM, "which machine this is was not appraised"),
        Aspect.CONFIGURATION: TrustClaim(APPROVED_BOOT, "as the policy wants it"),
        Aspect.EXECUTABLES: _executables(claims, policy),
        Aspect.FILE_SYSTEM: TrustClaim(NO_CLAIM, nothing),
        Aspect.HARDWARE: _hardware(claims),
        Aspect.RUNTIME_OPAQUE: _runtime(claims),
        Aspect.STORAGE_OPAQUE: TrustClaim(NO_CLAIM, nothing),
        Aspect.SOURCED_DATA: TrustClaim(NO_CLAIM, nothing),
    }


def _executables(claims: Claims, policy: AppraisalPolicy) -> TrustClaim:
    if policy.has_reference_values_for(claims.platform, paravisor=claims.has_paravisor):
        return TrustClaim(APPROVED_BOOT, "what was loaded at boot is a reference value")
    return TrustClaim(NO_CLAIM, "the policy has no reference values to compare with")


def _hardware(claims: Claims) -> TrustClaim:
    if claims.tee_type is TeeType.SIMULATED:
        return TrustClaim(UNRECOGNISED, f"SIMULATED: it ends at {claims.anchor}, no vendor's root")
    return TrustClaim(APPROVED, f"authentic to {claims.anchor}")


def _runtime(claims: Claims) -> TrustClaim:
    if claims.debug:
        return TrustClaim(CONTRAINDICATED, "debug allowed: the host can read the memory")
    return TrustClaim(APPROVED, "memory is encrypted within the environment")
