"""Appraisal: claims and a policy make an Attestation Result, with every finding at once."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from wasmtime_attestation import appraise_tdx
from wasmtime_attestation.claims import Claims, SnpClaims, TdxClaims
from wasmtime_attestation.errors import Finding, PolicyError
from wasmtime_attestation.policy import AppraisalPolicy, SnpPolicy
from wasmtime_attestation.result import AttestationResult
from wasmtime_attestation.wit import Status, TeeType

FINDINGS: Mapping[str, str] = MappingProxyType(
    {
        "policy.accept": "The policy does not accept this kind of environment.",
        "policy.simulated": "A warning: the evidence is simulated and proves nothing.",
        "policy.debug": "The host can read the guest's memory; a warning where it is allowed.",
        "policy.migration-agent": "A migration agent may move the guest; a warning where allowed.",
        "policy.smt": "The guest may share a core with others.",
        "policy.vmpl": "The report was asked for at a privilege level that is not accepted.",
        "policy.revocation": "The policy demands a revocation check, and no list was given.",
        "policy.guest-svn": "GUEST_SVN is below the minimum.",
        "policy.tcb": "A version in REPORTED_TCB is below the minimum, or has none to compare.",
        "policy.measurement": "MEASUREMENT is no reference value, or the policy has none for the "
        "platform (MEASUREMENT, MRTD).",
        "policy.host-data": "HOST_DATA is no reference value.",
        "policy.id-key-digest": "ID_KEY_DIGEST is no reference value.",
        "policy.author-key-digest": "AUTHOR_KEY_DIGEST is no reference value.",
        "policy.chip-id": "CHIP_ID is no reference value.",
        "policy.tcb-status": "The TCB status is not accepted; a warning where it is not UpToDate.",
        "policy.advisory": "An advisory that applies to the platform is denied.",
        "policy.tcb-evaluation": "TCB info or QE identity is of too early an evaluation.",
        "policy.migration": "The TD may be migrated; a warning where allowed.",
        "policy.service-td": "Service TDs are bound to the TD; a warning where allowed.",
        "policy.sept-ve-disable": "SEPT_VE_DISABLE is clear; a warning where allowed.",
        "policy.mrtd": "MRTD is no reference value.",
        "policy.rtmr0": "RTMR0 is no reference value.",
        "policy.rtmr1": "RTMR1 is no reference value.",
        "policy.rtmr2": "RTMR2 is no reference value.",
        "policy.rtmr3": "RTMR3 is no reference value.",
        "policy.mrseam": "MRSEAM is no reference value.",
        "policy.mrconfigid": "MRCONFIGID is no reference value.",
        "policy.mrowner": "MROWNER is no reference value.",
        "policy.mrownerconfig": "MROWNERCONFIG is no reference value.",
        "policy.mrservicetd": "MRSERVICETD is no reference value, or the quote has none.",
        "policy.xfam": "XFAM is no reference value.",
        "policy.fmspc": "FMSPC is no reference value.",
        "policy.guest-digest": "The guest is no reference value, or none is named.",
        "policy.reference-values": "Another host's token needs a policy with measurements.",
    }
)
"""Every finding that an appraisal reports, and what it says."""


NO_MIGRATION_AGENT = b"\xff" * 32
"""REPORT_ID_MA of a guest that has none (AMD 56860, "ATTESTATION_REPORT Structure")."""


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
        case SnpClaims() as snp:
            yield from _configuration(snp, policy.snp)
            yield from _tcb(snp, policy.snp)
            yield from _reference_values(snp, policy.snp)
        case TdxClaims() as tdx:
            yield from appraise_tdx.violations(tdx, policy.tdx)


def _configuration(snp: SnpClaims, policy: SnpPolicy) -> Iterator[Finding]:
    guest = snp.report.policy
    if guest.debug_allowed and not policy.unsafe_allow_debug:
        yield Finding("policy.debug", "debug allowed: the host can read the guest's memory")
    if guest.migration_agent_allowed and not policy.allow_migration_agent:
        yield Finding("policy.migration-agent", "a migration agent may move the guest")
    if guest.smt_allowed and not policy.allow_smt:
        yield Finding("policy.smt", "the guest may share a core with others (SMT)")
    if snp.report.vmpl not in policy.vmpls:
        accepted = ", ".join(map(str, sorted(policy.vmpls))) or "none"
        yield Finding("policy.vmpl", f"VMPL is {snp.report.vmpl}; accepted: {accepted}")
    if policy.require_revocation_check and not snp.revocation_checked:
        yield Finding("policy.revocation", "revocation was not checked: give AMD's revocation list")


def _tcb(snp: SnpClaims, policy: SnpPolicy) -> Iterator[Finding]:
    report = snp.report
    if report.guest_svn < policy.minimum_guest_svn:
        yield Finding(
            "policy.guest-svn", f"GUEST_SVN is {report.guest_svn} < {policy.minimum_guest_svn}"
        )
    minimum = policy.minimum_tcb.get(snp.product_line)
    if minimum is None:
        if policy.minimum_tcb:
            yield Finding("policy.tcb", f"the policy has no minimum TCB for {snp.product_line}")
        return
    for name in ("boot_loader", "tee", "snp", "microcode", "fmc"):
        actual, required = getattr(report.reported_tcb, name) or 0, getattr(minimum, name)
        if actual < required:
            yield Finding("policy.tcb", f"the {name} version is {actual} < {required}")


def _reference_values(snp: SnpClaims, policy: SnpPolicy) -> Iterator[Finding]:
    report = snp.report
    for name, actual, accepted in (
        ("measurement", report.measurement, policy.measurements),
        ("host-data", report.host_data, policy.host_data),
        ("id-key-digest", report.id_key_digest, policy.id_key_digests),
        ("author-key-digest", report.author_key_digest, policy.author_key_digests),
        ("chip-id", report.chip_id, policy.chip_ids),
    ):
        if accepted is not None and not _contains(accepted, actual):
            yield Finding(f"policy.{name}", f"{name} {actual.hex()} is no reference value")


def _guest(guest_digest: bytes | None, policy: AppraisalPolicy) -> Iterator[Finding]:
    if policy.guest_digests is None:
        return
    if guest_digest is None:
        yield Finding("policy.guest-digest", "no guest is named, and the policy requires one")
    elif not _contains(policy.guest_digests, guest_digest):
        yield Finding("policy.guest-digest", f"guest {guest_digest.hex()} is no reference value")


def _warnings(claims: Claims) -> Iterator[Finding]:
    if claims.tee_type is TeeType.SIMULATED:
        yield Finding("policy.simulated", "SIMULATED evidence: it proves nothing about hardware")
    if claims.debug:
        yield Finding("policy.debug", "debug allowed, and the policy accepts it")
    match claims.details:
        case SnpClaims() as snp if snp.report.report_id_ma != NO_MIGRATION_AGENT:
            yield Finding(
                "policy.migration-agent",
                "a migration agent is attached, and the policy accepts it: it can move the guest",
            )
        case TdxClaims() as tdx:
            yield from appraise_tdx.warnings(tdx)
        case _:
            pass


def _not_appraised(claims: Claims, policy: AppraisalPolicy) -> Iterator[Finding]:
    """What a reader of the result must not take for checked."""
    if not policy.has_reference_values_for(claims.platform):
        yield Finding(
            "policy.measurement",
            "not appraised: the policy has no measurements, so any software may run there, and "
            "what the token's host states is only its word",
        )


def _contains(values: Iterable[bytes], value: bytes) -> bool:
    return any(hmac.compare_digest(value, other) for other in values)
