"""Appraisal of TDX: what a policy does not accept of a quote's claims, and what it warns of."""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from wasmtime_attestation.claims.tdx import TcbEvaluation, TdxClaims
from wasmtime_attestation.endorsements.intel import TcbStatus
from wasmtime_attestation.errors import Finding
from wasmtime_attestation.memo.instant import worded
from wasmtime_attestation.policy.tdx import TdxPolicy

MENDED: Mapping[TcbStatus, TcbStatus] = MappingProxyType(
    {
        TcbStatus.OUT_OF_DATE: TcbStatus.UP_TO_DATE,
        TcbStatus.TD_RELAUNCH_ADVISED: TcbStatus.UP_TO_DATE,
        TcbStatus.OUT_OF_DATE_CONFIGURATION_NEEDED: TcbStatus.CONFIGURATION_NEEDED,
        TcbStatus.TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED: TcbStatus.CONFIGURATION_NEEDED,
    }
)
"""What an update or relaunch makes of each status that is out of date."""
_REGISTERS = (
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
)


def violations(tdx: TdxClaims, policy: TdxPolicy, at: datetime) -> Iterator[Finding]:
    """Returns what the policy does not accept at an instant."""
    yield from _configuration(tdx, policy)
    yield from _tcb_status(tdx, policy, at)
    yield from _tcb(tdx, policy, at)
    yield from _reference_values(tdx, policy)


def warnings(tdx: TdxClaims) -> Iterator[Finding]:
    """Returns what deserves attention where the policy accepts it."""
    for status, tcb in tdx.standings:
        if status is not TcbStatus.UP_TO_DATE:
            standing = _standing(tdx, status, tcb)
            yield Finding("policy.tcb-status", f"{standing}, and the policy accepts it")
    if _is_migratable(tdx):
        yield Finding("policy.migration", "the TD may be migrated, and the policy accepts it")
    if tdx.has_service_tds:
        yield Finding("policy.service-td", "service TDs are bound, and the policy accepts it")
    if not tdx.report.td_attributes.sept_ve_disable:
        yield Finding("policy.sept-ve-disable", f"{_SEPT_VE}, and the policy accepts it")
    if tdx.report.td_attributes.reserved_bits:
        yield Finding("policy.td-attributes", f"{_reserved(tdx)}, and the policy accepts it")
    if not tdx.revocation_checked:
        yield Finding("policy.revocation", f"{_NO_LISTS}, and the policy accepts it")


_NO_LISTS = "one of Intel's revocation lists was missing: nobody knows whether a key was revoked"
_SEPT_VE = "SEPT_VE_DISABLE is clear: the host can inject exceptions at memory accesses"


def _configuration(tdx: TdxClaims, policy: TdxPolicy) -> Iterator[Finding]:
    attributes = tdx.report.td_attributes
    if attributes.under_debug and not policy.unsafe_allow_debug:
        yield Finding("policy.debug", "the TD is under debug: the host can read its memory")
    if _is_migratable(tdx) and not policy.allow_migration:
        yield Finding("policy.migration", "the TD may be migrated to another platform")
    is_named = tdx.has_named_service_tds and policy.mrservicetd is not None
    if tdx.has_service_tds and not policy.allow_service_td and not is_named:
        field = "MRSERVICETD" if tdx.has_named_service_tds else "the extended report"
        yield Finding("policy.service-td", f"service TDs are bound to the TD ({field})")
    if not attributes.sept_ve_disable and policy.require_sept_ve_disable:
        yield Finding("policy.sept-ve-disable", _SEPT_VE)
    if attributes.reserved_bits and not policy.allow_reserved_attributes:
        yield Finding("policy.td-attributes", _reserved(tdx))
    if not tdx.revocation_checked and not policy.unsafe_allow_missing_lists:
        yield Finding("policy.revocation", _NO_LISTS)


def _tcb_status(tdx: TdxClaims, policy: TdxPolicy, at: datetime) -> Iterator[Finding]:
    for status, tcb in tdx.standings:
        refusal = _refusal(status, tcb, policy, at)
        if refusal is not None:
            yield Finding("policy.tcb-status", f"{_standing(tdx, status, tcb)}; {refusal}")


def _refusal(status: TcbStatus, tcb: TcbEvaluation, policy: TdxPolicy, at: datetime) -> str | None:
    """Says why a status is not accepted; None if it is."""
    mended = MENDED.get(status)
    if policy.grace_period_days is None or mended is None:
        if status in policy.tcb_statuses:
            return None
        return f"accepted: {', '.join(sorted(policy.tcb_statuses)) or 'none'}"
    if not policy.tcb_statuses & {mended, status}:
        return "not accepted in a grace period"
    until = _grace_ends(tcb, policy.grace_period_days)
    if until is not None and at <= until:
        return None
    ended = f"ended {until:%Y-%m-%d}" if until else "has no date to count from"
    return f"the grace period, {policy.grace_period_days} days, {ended}"


def _grace_ends(tcb: TcbEvaluation, days: int) -> datetime | None:
    """Returns when the first of the parts that are out of date has outlived its grace period."""
    parts = (part for part in (tcb.platform, tcb.module, tcb.qe) if part is not None)
    dates = [part.tcb_date for part in parts if part.status in MENDED]
    try:
        return min(dates) + timedelta(days=days) if dates else None
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def _tcb(tdx: TdxClaims, policy: TdxPolicy, at: datetime) -> Iterator[Finding]:
    denied = sorted(policy.denied_advisories & set(tdx.advisories))
    if denied:
        yield Finding("policy.advisory", f"the platform is open to {', '.join(denied)}")
    if tdx.evaluation_number < policy.minimum_evaluation:
        yield Finding(
            "policy.tcb-evaluation",
            f"the collateral's evaluation is {tdx.evaluation_number} < {policy.minimum_evaluation}",
        )
    most = policy.maximum_collateral_age
    if most is not None and at >= tdx.collateral_issued + timedelta(seconds=most + 1):
        age = int((worded(at) - tdx.collateral_issued).total_seconds())
        yield Finding("policy.collateral-age", f"the collateral is {age} s old; at most {most}")


def _reference_values(tdx: TdxClaims, policy: TdxPolicy) -> Iterator[Finding]:
    values = [(name, getattr(tdx.report, name)) for name in _REGISTERS]
    for name, actual in (*values, ("fmspc", tdx.pck.fmspc)):
        accepted = getattr(policy, name)
        if accepted is None:
            continue
        if actual is None:
            yield Finding(f"policy.{name}", f"{name} does not exist in TDX 1.0")
        elif not any(hmac.compare_digest(actual, value) for value in accepted):
            yield Finding(f"policy.{name}", f"{name} {actual.hex()} is no reference value")


def _standing(tdx: TdxClaims, status: TcbStatus, tcb: TcbEvaluation) -> str:
    advisories = f" ({', '.join(tcb.advisories)})" if tcb.advisories else ""
    now = "" if tcb is tdx.tcb else " of the platform as it is now"
    return f"the TCB status{now} is {status}{advisories}"


def _reserved(tdx: TdxClaims) -> str:
    bits = tdx.report.td_attributes.reserved_bits
    return f"TDATTRIBUTES has bits that have no known meaning: 0x{bits:x}"


def _is_migratable(tdx: TdxClaims) -> bool:
    return tdx.report.td_attributes.migratable
