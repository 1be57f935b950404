"""Appraisal of SEV-SNP: what a policy does not accept of a report, and what it warns of."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator

from wasmtime_attestation.claims.snp import SnpClaims
from wasmtime_attestation.errors import Finding
from wasmtime_attestation.policy.snp import SnpPolicy

NO_MIGRATION_AGENT = b"\xff" * 32
"""REPORT_ID_MA of a guest that has none (AMD 56860, "ATTESTATION_REPORT Structure")."""


def violations(snp: SnpClaims, policy: SnpPolicy) -> Iterator[Finding]:
    """Returns what the policy does not accept."""
    yield from _configuration(snp, policy)
    yield from _tcb(snp, policy)
    yield from _reference_values(snp, policy)


def warnings(snp: SnpClaims) -> Iterator[Finding]:
    """Returns what deserves attention where the policy accepts it."""
    if snp.report.report_id_ma != NO_MIGRATION_AGENT:
        yield Finding(
            "policy.migration-agent",
            "a migration agent is attached, and the policy accepts it: it can move the guest",
        )


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
        if policy.minimum_tcb or policy.require_minimum_tcb:
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


def _contains(values: Iterable[bytes], value: bytes) -> bool:
    return any(hmac.compare_digest(value, other) for other in values)
