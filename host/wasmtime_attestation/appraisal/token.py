"""Appraisal of a token's verdict: evidence by its claims, a service's word by what it states."""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

from wasmtime_attestation.appraisal import appraise, azure, gpu, token_violations, unstated
from wasmtime_attestation.appraisal.several import Outcome, summary
from wasmtime_attestation.claims import Claims
from wasmtime_attestation.claims.verdict import Environment, TokenKind, Verdict
from wasmtime_attestation.errors import Finding, PolicyError
from wasmtime_attestation.policy import AppraisalPolicy
from wasmtime_attestation.policy.snp import SnpPolicy
from wasmtime_attestation.policy.tdx import TdxPolicy
from wasmtime_attestation.result import AttestationResult
from wasmtime_attestation.wit import Status, TeeType

# What a service's token states, and the setting that has reference values for it.
_SNP: Mapping[str, str] = MappingProxyType(
    {
        "measurement": "measurements",
        "host_data": "host_data",
        "id_key_digest": "id_key_digests",
        "author_key_digest": "author_key_digests",
        "chip_id": "chip_ids",
    }
)
_TDX: Mapping[str, str] = MappingProxyType(
    {
        name: name
        for name in (
            "mrtd",
            "rtmr0",
            "rtmr1",
            "rtmr2",
            "rtmr3",
            "mrseam",
            "mrconfigid",
            "mrowner",
            "mrownerconfig",
            "mrservicetd",
            "xfam",
            "fmspc",
        )
    }
)


def appraise_any(
    verified: Claims | Verdict,
    policy: AppraisalPolicy,
    *,
    at: datetime,
) -> AttestationResult:
    """Applies a policy to what was verified, evidence or a token of any kind.

    Args:
        verified: what it says.
        policy: what is accepted.
        at: the instant of the appraisal.

    Raises:
        PolicyError: the policy does not accept it, or its issuer says no; it has every finding.
    """
    if isinstance(verified, Verdict):
        return appraise_token(verified, policy, at=at)
    return appraise(verified, policy, at=at, guest_digest=None)


def appraise_token(verdict: Verdict, policy: AppraisalPolicy, *, at: datetime) -> AttestationResult:
    """Applies a policy to a verified token; see `appraise_any`."""
    if verdict.evidence:
        return summary([*appraise_each(verdict, policy, at=at)])
    violations = [
        *_issuers_no(verdict),
        *token_violations(policy, at, verdict.issuer, verdict.issued_at),
        *_violations(verdict, policy),
    ]
    if violations:
        raise PolicyError(violations)
    status = Status.AFFIRMING if verdict.status is Status.AFFIRMING else Status.WARNING
    return AttestationResult(
        policy.name, status, (*verdict.reasons, *_not_appraised(verdict, policy))
    )


def appraise_each(verdict: Verdict, policy: AppraisalPolicy, *, at: datetime) -> Iterator[Outcome]:
    """Applies a policy to each piece of evidence in a token, in their order."""
    # What the token as a whole says is judged once, with the first.
    of_evidence_alone = replace(policy, guest_digests=None, issuers=None, maximum_age=None)
    for place, claims in enumerate(verdict.evidence):
        try:
            yield appraise(
                claims,
                of_evidence_alone if place else policy,
                at=at,
                guest_digest=verdict.guest_digest,
                issuer=verdict.issuer,
                issued_at=verdict.issued_at,
                beside=verdict.evidence if len(verdict.evidence) > 1 else (),
            )
        except PolicyError as error:
            yield error


def check_issuers_result(verdict: Verdict) -> None:
    """Refuses a token whose own issuer does not accept what it is about, whatever the policy.

    Raises:
        PolicyError: the issuer's status is contraindicated.
    """
    if violations := [*_issuers_no(verdict)]:
        raise PolicyError(violations)


def _issuers_no(verdict: Verdict) -> Iterator[Finding]:
    if verdict.status is Status.CONTRAINDICATED:
        found = verdict.reasons or (Finding("policy.issuer-status", "the issuer's status is no"),)
        yield from found


def _violations(verdict: Verdict, policy: AppraisalPolicy) -> Iterator[Finding]:
    if verdict.status is Status.NONE:
        yield Finding("policy.issuer-status", "the issuer did not appraise the evidence")
    if policy.guest_digests is not None:
        yield Finding("policy.guest-digest", "a service's token names no guest")
    yield from azure.missing(policy.azure)
    devices = [e for e in verdict.environments if e.tee_type is TeeType.NVIDIA_GPU]
    yield from gpu.count_violations(len(devices), policy.gpu)
    for environment in verdict.environments:
        if environment.tee_type not in policy.accept:
            accepted = ", ".join(sorted(policy.accept)) or "nothing"
            yield Finding(
                "policy.accept",
                f"{environment.name} is {environment.tee_type}; the policy accepts {accepted}",
            )
        if policy.require_reference_values and not policy.has_reference_values_for(
            environment.tee_type
        ):
            yield Finding(
                "policy.reference-values",
                f"policy {policy.name} has no reference values for {environment.tee_type}",
            )
        is_machine = environment.tee_type in (TeeType.AMD_SEV_SNP, TeeType.INTEL_TDX)
        if is_machine and verdict.kind is not TokenKind.EAR:
            yield from unstated.of_machine(environment, policy)
        if environment.tee_type is TeeType.AMD_SEV_SNP:
            yield from _references(environment, policy.snp, _SNP)
            yield from _snp(environment, policy.snp)
            yield from unstated.snp(environment, policy.snp)
        if environment.tee_type is TeeType.INTEL_TDX:
            yield from _references(environment, policy.tdx, _TDX)
            yield from _tdx(environment, policy.tdx)
        if environment.tee_type in (TeeType.NVIDIA_GPU, TeeType.OTHER):
            yield from unstated.device(environment, policy.gpu)


def _references(
    environment: Environment, policy: SnpPolicy | TdxPolicy, settings: Mapping[str, str]
) -> Iterator[Finding]:
    for name, setting in settings.items():
        accepted: frozenset[bytes] | None = getattr(policy, setting)
        check, stated = f"policy.{name.replace('_', '-')}", environment.measurements.get(name)
        if accepted is None:
            continue
        if stated is None:
            yield Finding(check, f"{environment.name}: the token does not state {name}")
        elif not any(hmac.compare_digest(bytes.fromhex(stated), value) for value in accepted):
            yield Finding(check, f"{environment.name}: {name} {stated} is no reference value")


def _snp(environment: Environment, policy: SnpPolicy) -> Iterator[Finding]:
    """What a service leaves out cannot be met."""
    vmpl = environment.measurements.get("vmpl")
    if vmpl is not None and int(vmpl) not in policy.vmpls:
        yield Finding("policy.vmpl", f"{environment.name}: VMPL is {vmpl}")
    if environment.settings.get("smt") and not policy.allow_smt:
        yield Finding("policy.smt", f"{environment.name}: the guest may share a core (SMT)")
    if environment.settings.get("migration-agent") and not policy.allow_migration_agent:
        yield Finding("policy.migration-agent", f"{environment.name}: an agent may move it")
    if policy.minimum_tcb or policy.require_minimum_tcb or policy.minimum_guest_svn:
        yield Finding("policy.tcb", f"{environment.name}: the token does not state its versions")
    if policy.require_revocation_check:
        yield Finding(
            "policy.revocation", f"{environment.name}: the token does not say that it was checked"
        )


def _tdx(environment: Environment, policy: TdxPolicy) -> Iterator[Finding]:
    """A grace period needs dates, which a service does not state: it does not count."""
    status = environment.tcb_status
    if status is not None and status not in policy.tcb_statuses:
        accepted = ", ".join(sorted(policy.tcb_statuses)) or "none"
        yield Finding(
            "policy.tcb-status",
            f"{environment.name}: the TCB status is {status[:40]!r}; accepted: {accepted}",
        )
    if environment.settings.get("migratable") and not policy.allow_migration:
        yield Finding("policy.migration", f"{environment.name}: the TD may be migrated")
    if environment.settings.get("sept-ve-disable") is False and policy.require_sept_ve_disable:
        yield Finding("policy.sept-ve-disable", f"{environment.name}: SEPT_VE_DISABLE is clear")
    if environment.settings.get("reserved-attributes") and not policy.allow_reserved_attributes:
        yield Finding(
            "policy.td-attributes",
            f"{environment.name}: bits of TDATTRIBUTES are set that are not known",
        )
    if policy.denied_advisories or policy.minimum_evaluation or policy.maximum_collateral_age:
        yield Finding(
            "policy.advisory", f"{environment.name}: the token states nothing of its collateral"
        )


def _not_appraised(verdict: Verdict, policy: AppraisalPolicy) -> Iterator[Finding]:
    """What a reader of the result must not take for checked."""
    platforms = {environment.tee_type for environment in verdict.environments}
    if not all(policy.has_reference_values_for(platform) for platform in platforms):
        yield Finding(
            "policy.measurement",
            "not appraised: the policy has no measurements for it; what the issuer compared is "
            "the issuer's to say",
        )
