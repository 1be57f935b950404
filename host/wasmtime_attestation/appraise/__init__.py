"""Appraisal: claims and a policy make an Attestation Result, with every finding at once."""

from __future__ import annotations

import hmac
from collections.abc import Iterator

from wasmtime_attestation.appraise import gpu, snp, tdx
from wasmtime_attestation.claims import Claims
from wasmtime_attestation.claims.gpu import NvidiaClaims
from wasmtime_attestation.claims.snp import SnpClaims
from wasmtime_attestation.claims.tdx import TdxClaims
from wasmtime_attestation.errors import Finding, PolicyError
from wasmtime_attestation.policy import AppraisalPolicy
from wasmtime_attestation.result import AttestationResult
from wasmtime_attestation.wit import Status, TeeType


def appraise(
    claims: Claims, policy: AppraisalPolicy, *, guest_digest: bytes | None
) -> AttestationResult:
    """Applies a policy to verified claims.

    Args:
        claims: what the evidence says.
        policy: what is accepted.
        guest_digest: SHA-256 of the guest that the token names; None for raw evidence.

    Raises:
        PolicyError: the policy does not accept the claims; it has every finding.
    """
    violations = [
        *_accepted_type(claims, policy),
        *_platform(claims, policy),
        *_guest(guest_digest, policy),
    ]
    if violations:
        raise PolicyError(violations)
    warnings = tuple(_warnings(claims))
    status = Status.WARNING if warnings else Status.AFFIRMING
    return AttestationResult(policy.name, status, (*warnings, *_not_appraised(claims, policy)))


def _accepted_type(claims: Claims, policy: AppraisalPolicy) -> Iterator[Finding]:
    if claims.tee_type not in policy.accept:
        accepted = ", ".join(sorted(policy.accept)) or "nothing"
        yield Finding(
            "policy.accept", f"the evidence is {claims.tee_type}; the policy accepts {accepted}"
        )


def _platform(claims: Claims, policy: AppraisalPolicy) -> Iterator[Finding]:
    match claims.details:
        case SnpClaims() as details:
            yield from snp.violations(details, policy.snp)
        case TdxClaims() as details:
            yield from tdx.violations(details, policy.tdx)
        case NvidiaClaims() as details:
            yield from gpu.violations(details, policy.gpu)


def _guest(guest_digest: bytes | None, policy: AppraisalPolicy) -> Iterator[Finding]:
    if policy.guest_digests is None:
        return
    if guest_digest is None:
        yield Finding("policy.guest-digest", "no guest is named, and the policy requires one")
    elif not any(hmac.compare_digest(guest_digest, known) for known in policy.guest_digests):
        yield Finding("policy.guest-digest", f"guest {guest_digest.hex()} is no reference value")


def _warnings(claims: Claims) -> Iterator[Finding]:
    if claims.tee_type is TeeType.SIMULATED:
        yield Finding("policy.simulated", "SIMULATED evidence: it proves nothing about hardware")
    if claims.debug:
        yield Finding("policy.debug", "debug allowed, and the policy accepts it")
    match claims.details:
        case SnpClaims() as details:
            yield from snp.warnings(details)
        case TdxClaims() as details:
            yield from tdx.warnings(details)
        case NvidiaClaims():
            pass  # what is not golden was rejected


def _not_appraised(claims: Claims, policy: AppraisalPolicy) -> Iterator[Finding]:
    """What a reader of the result must not take for checked."""
    if not policy.has_reference_values_for(claims.platform):
        yield Finding(
            "policy.measurement",
            "not appraised: the policy has no measurements, so any software may run there, and "
            "what the token's host states is only its word",
        )
