"""Appraisal of SEV-SNP: what a policy does not accept of a report, and what it warns of."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator, Mapping

from wasmtime_attestation.claims.snp import SnpClaims
from wasmtime_attestation.errors import Finding
from wasmtime_attestation.evidence import strict_json
from wasmtime_attestation.evidence.snp_fields import ProductLine, TcbVersion
from wasmtime_attestation.policy.snp import MinimumTcb, SnpPolicy

NO_MIGRATION_AGENT = b"\xff" * 32
"""REPORT_ID_MA of a guest that has none (AMD 56860, "ATTESTATION_REPORT Structure")."""


def violations(snp: SnpClaims, policy: SnpPolicy) -> Iterator[Finding]:
    """Returns what the policy does not accept."""
    yield from _configuration(snp, policy)
    yield from _tcb(snp, policy)
    yield from _machine(snp, policy)
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
    if policy.require_minimum_tcb and not policy.minimum_tcb:
        yield Finding("policy.tcb", f"the policy has no minimum TCB for {snp.product_line}")
    for check, tcb, minima in (
        ("policy.tcb", report.reported_tcb, policy.minimum_tcb),
        ("policy.launch-tcb", report.launch_tcb, policy.minimum_launch_tcb),
        ("policy.committed-tcb", report.committed_tcb, policy.minimum_committed_tcb),
    ):
        yield from _below(check, tcb, minima, snp.product_line)


def _below(
    check: str, tcb: TcbVersion, minima: Mapping[ProductLine, MinimumTcb], line: ProductLine
) -> Iterator[Finding]:
    minimum = minima.get(line)
    if minimum is None:
        if minima:
            yield Finding(check, f"the policy has no minimum TCB for {line}")
        return
    for name in ("boot_loader", "tee", "snp", "microcode", "fmc"):
        actual, required = getattr(tcb, name) or 0, getattr(minimum, name)
        if actual < required:
            yield Finding(check, f"the {name} version is {actual} < {required}")


def _machine(snp: SnpClaims, policy: SnpPolicy) -> Iterator[Finding]:
    report = snp.report
    if report.firmware_is_provisional and not policy.allow_provisional_firmware:
        yield Finding(
            "policy.provisional-firmware",
            f"the firmware runs at {report.current_tcb} and can be rolled back to "
            f"{report.committed_tcb}",
        )
    for name, vector, required in (
        ("LAUNCH", report.launch_mitigation_vector, policy.required_launch_mitigations),
        ("CURRENT", report.current_mitigation_vector, policy.required_current_mitigations),
    ):
        if required & ~(vector or 0):
            has = "does not exist in this version" if vector is None else f"is 0x{vector:x}"
            yield Finding("policy.mitigations", f"{name}_MIT_VECTOR {has}; needed: 0x{required:x}")
    yield from _lacking("policy.platform-info", report.platform_info, policy.required_platform)
    for name in sorted(policy.denied_platform):
        if _has(report.platform_info, name):
            yield Finding("policy.platform-info", f"the machine is set up with {name}")
    yield from _lacking("policy.guest-policy", report.policy, policy.required_restrictions)


def _lacking(check: str, record: object, required: Iterable[str]) -> Iterator[Finding]:
    for name in sorted(required):
        if not _has(record, name):
            yield Finding(check, f"{name} is not set")


def _has(record: object, name: str) -> bool:
    """Whether a report says what the policy has a name for: the field's, with other hyphens."""
    value = getattr(record, name.replace("-", "_"))
    return value is True


def _reference_values(snp: SnpClaims, policy: SnpPolicy) -> Iterator[Finding]:
    report = snp.report
    for name, actual, accepted in (
        ("measurement", report.measurement, policy.measurements),
        ("host-data", report.host_data, policy.host_data),
        ("id-key-digest", report.id_key_digest, policy.id_key_digests),
        ("author-key-digest", report.author_key_digest, policy.author_key_digests),
        ("chip-id", report.chip_id, policy.chip_ids),
        ("family-id", report.family_id, policy.family_ids),
        ("image-id", report.image_id, policy.image_ids),
    ):
        if accepted is not None and not _contains(accepted, actual):
            yield Finding(f"policy.{name}", f"{name} {actual.hex()} is no reference value")
    if policy.csp_ids is not None and snp.csp_id not in policy.csp_ids:
        signer = "no cloud provider" if snp.csp_id is None else strict_json.brief(snp.csp_id)
        yield Finding("policy.csp-id", f"the report is signed by the key of {signer}")


def _contains(values: Iterable[bytes], value: bytes) -> bool:
    return any(hmac.compare_digest(value, other) for other in values)
