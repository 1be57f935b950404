"""Appraisal: claims and a policy make an Attestation Result, with every finding at once."""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Sequence
from datetime import datetime

from wasmtime_attestation.appraisal import azure, gpu, snp, tdx
from wasmtime_attestation.claims import Claims
from wasmtime_attestation.claims.azure import AzureClaims
from wasmtime_attestation.claims.gpu import NvidiaClaims
from wasmtime_attestation.claims.snp import SnpClaims
from wasmtime_attestation.claims.tdx import TdxClaims
from wasmtime_attestation.errors import Finding, PolicyError
from wasmtime_attestation.memo.instant import worded
from wasmtime_attestation.policy import AppraisalPolicy
from wasmtime_attestation.policy.presets import STRICT
from wasmtime_attestation.result import AttestationResult
from wasmtime_attestation.verifier.expectations import instant
from wasmtime_attestation.wit import Status, TeeType


def appraise(
    claims: Claims,
    policy: AppraisalPolicy,
    *,
    at: datetime,
    guest_digest: bytes | None,
    issuer: str | None = None,
    issued_at: int | None = None,
    beside: Sequence[Claims] = (),
) -> AttestationResult:
    """Applies a policy to verified claims.

    Args:
        claims: what the evidence says.
        policy: what is accepted.
        at: the instant of the appraisal.
        guest_digest: SHA-256 of the guest that the token names; None for raw evidence.
        issuer: who issued the token; None for raw evidence.
        issued_at: when, in seconds since the Unix epoch; None for raw evidence.
        beside: everything that was verified together, itself included, each of which is
            appraised too; empty where the claims are all that there is.

    Raises:
        PolicyError: the policy does not accept the claims; it has every finding.
    """
    # A device says nothing about software; the machine that it belongs to has to.
    of_machine = claims.is_device and not all(other.is_device for other in beside)
    violations = [
        *_accepted_type(claims, policy, beside),
        *(() if of_machine else _of_machine(claims, policy)),
        *_platform(claims, policy, at),
        *gpu.miscounted(claims, policy.gpu, beside),
        *token_violations(policy, at, issuer, issued_at),
        *_guest(guest_digest, policy),
    ]
    if violations:
        raise PolicyError(violations)
    warnings = tuple(_warnings(claims))
    status = Status.WARNING if warnings else Status.AFFIRMING
    open_questions = () if of_machine else _not_appraised(claims, policy)
    return AttestationResult(policy.name, status, (*warnings, *open_questions))


def _accepted_type(
    claims: Claims, policy: AppraisalPolicy, beside: Sequence[Claims]
) -> Iterator[Finding]:
    # A switch is no environment of its own: it goes with the GPUs that it connects.
    if gpu.is_switch(claims) and any(
        other.tee_type is TeeType.NVIDIA_GPU and other.tee_type in policy.accept for other in beside
    ):
        return
    if claims.tee_type not in policy.accept:
        accepted = ", ".join(sorted(policy.accept)) or "nothing"
        yield Finding(
            "policy.accept", f"the evidence is {claims.tee_type}; the policy accepts {accepted}"
        )


def _of_machine(claims: Claims, policy: AppraisalPolicy) -> Iterator[Finding]:
    """What a policy asks of a machine, or of a device that comes without one."""
    yield from _reference_values(claims, policy)
    if not claims.has_paravisor:
        yield from azure.missing(policy.azure)


def _reference_values(claims: Claims, policy: AppraisalPolicy) -> Iterator[Finding]:
    has_values = policy.has_reference_values_for(claims.platform, paravisor=claims.has_paravisor)
    if policy.require_reference_values and not has_values:
        needed = "measurements and azure.pcrs" if claims.has_paravisor else "measurements"
        yield Finding(
            "policy.reference-values",
            f"policy {policy.name} has no reference values for {claims.platform}: derive a policy "
            f'with `policy learn`, or write one with extends = "{STRICT}" and {needed}',
        )


def _platform(claims: Claims, policy: AppraisalPolicy, at: datetime) -> Iterator[Finding]:
    if isinstance(claims.details, AzureClaims):
        yield from azure.violations(claims.details, policy.azure)
    match claims.hardware:
        case SnpClaims() as details:
            yield from snp.violations(details, policy.snp)
        case TdxClaims() as details:
            yield from tdx.violations(details, policy.tdx, at)
        case NvidiaClaims() as details:
            yield from gpu.violations(details, policy.gpu)


def token_violations(
    policy: AppraisalPolicy, at: datetime, issuer: str | None, issued_at: int | None
) -> Iterator[Finding]:
    """Returns what the policy does not accept of a token's issuer and age; see `appraise`."""
    if policy.issuers is not None:
        if issuer is None:
            yield Finding("policy.issuer", "raw evidence has no issuer, and the policy names some")
        elif issuer not in policy.issuers:
            yield Finding("policy.issuer", f"{issuer} is not among the policy's issuers")
    if policy.maximum_age is not None:
        if issued_at is None:
            yield Finding("policy.age", "raw evidence does not say when it was made")
        elif at > instant(issued_at + policy.maximum_age):
            age = int(worded(at).timestamp() - issued_at)
            yield Finding("policy.age", f"the token is {age} s old; at most {policy.maximum_age}")


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
    if isinstance(claims.details, AzureClaims):
        yield from azure.warnings(claims.details)
    match claims.hardware:
        case SnpClaims() as details:
            yield from snp.warnings(details)
        case TdxClaims() as details:
            yield from tdx.warnings(details)
        case NvidiaClaims():
            pass  # what is not golden was rejected


def _not_appraised(claims: Claims, policy: AppraisalPolicy) -> Iterator[Finding]:
    """What a reader of the result must not take for checked."""
    if claims.has_paravisor:
        yield from _paravisor_not_appraised(claims, policy)
    elif not policy.has_reference_values_for(claims.platform):
        yield Finding(
            "policy.measurement",
            "not appraised: the policy has no measurements, so any software may run there, and "
            "what the token's host states is only its word",
        )


def _paravisor_not_appraised(claims: Claims, policy: AppraisalPolicy) -> Iterator[Finding]:
    """Two things run there: what the paravisor states counts if it is known itself."""
    if not policy.has_reference_values_for(claims.platform):
        named = "PCRs, and not the paravisor" if policy.azure.pcrs else "neither paravisor nor PCRs"
        yield Finding(
            "policy.measurement",
            f"not appraised: the policy names {named}, so any software may run there and state "
            "these runtime claims, and what the token's host states is only its word",
        )
    elif not policy.azure.pcrs:
        yield Finding(
            "policy.measurement",
            "not appraised: the policy names the paravisor and no PCRs, so any guest may run there",
        )
