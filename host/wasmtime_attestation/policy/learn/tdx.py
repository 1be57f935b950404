"""What a policy learns from TDX quotes: the table `tdx`."""

from __future__ import annotations

from collections.abc import Sequence

from wasmtime_attestation.claims.tdx import TdxClaims
from wasmtime_attestation.endorsements.intel import TcbStatus
from wasmtime_attestation.policy.learn.section import Section
from wasmtime_attestation.policy.toml_text import hex_list

_REGISTERS = {
    "mrtd": "MRTD: what the TD was built from.",
    "rtmr0": "RTMR0: the virtual firmware's configuration, the number of processors included.",
    "rtmr1": "RTMR1: boot loader and kernel.",
    "rtmr2": "RTMR2: the kernel's command line and initial RAM disk.",
    "rtmr3": "RTMR3: what software measured while it ran; leave it out if that differs by run.",
    "mrconfigid": "MRCONFIGID: the configuration that the TD's owner chose.",
    "mrowner": "MROWNER: the TD's owner.",
    "mrownerconfig": "MROWNERCONFIG: the owner's configuration.",
    "xfam": "XFAM: the processor's features that the TD may use.",
}


def sections(known: Sequence[TdxClaims]) -> list[Section]:
    """Returns the table that accepts these quotes and no other software."""
    tdx = Section("tdx")
    for name, why in _REGISTERS.items():
        tdx.values(name, (getattr(claims.report, name) for claims in known), why)
    tdx.suggest(
        "mrseam", (c.report.mrseam for c in known), "Only these TDX modules, if you mean that:"
    )
    tdx.suggest("fmspc", (c.pck.fmspc for c in known), "Only these platforms, if you mean that:")
    _tcb(tdx, known)
    _configuration(tdx, known)
    return [tdx]


def _tcb(tdx: Section, known: Sequence[TdxClaims]) -> None:
    statuses = {status for claims in known for status, _ in claims.standings}
    others = sorted(statuses - {TcbStatus.UP_TO_DATE})
    if others:
        advisories = sorted({a for claims in known for a in claims.advisories})
        open_to = f", open to {', '.join(advisories)}" if advisories else ""
        tdx.weaken(
            "tcb-statuses",
            f"platforms were {', '.join(others)}{open_to}; better: update them, or give a "
            "grace-period-days",
            to=sorted(statuses | {TcbStatus.UP_TO_DATE}),
        )
    lowest = min(claims.evaluation_number for claims in known)
    tdx.set("minimum-tcb-evaluation", "The lowest evaluation of the collateral.", to=lowest)


def _configuration(tdx: Section, known: Sequence[TdxClaims]) -> None:
    if any(claims.report.td_attributes.migratable for claims in known):
        tdx.weaken("allow-migration", "a TD may be migrated to another platform", to=True)
    if not all(claims.report.td_attributes.sept_ve_disable for claims in known):
        tdx.weaken(
            "require-sept-ve-disable",
            "the host can inject exceptions at memory accesses of a TD",
            to=False,
        )
    if any(claims.report.td_attributes.reserved_bits for claims in known):
        tdx.weaken(
            "allow-reserved-attributes",
            "bits of TDATTRIBUTES are set whose meaning this release does not know",
            to=True,
        )
    _service_tds(tdx, known)


def _service_tds(tdx: Section, known: Sequence[TdxClaims]) -> None:
    if not any(claims.has_service_tds for claims in known):
        return
    why = "service TDs are bound to a TD, with rights over it"
    seen = {claims.report.mrservicetd for claims in known}
    bound = {value for value in seen if value is not None}
    if any(claims.has_service_tds and not claims.has_named_service_tds for claims in known):
        tdx.weaken("allow-service-td", f"{why}; MRSERVICETD does not name them", to=True)
    elif None in seen:
        # A quote of TDX 1.0 has no MRSERVICETD to compare.
        tdx.weaken("allow-service-td", f"{why}; quotes of TDX 1.0 name none", to=True)
    else:
        tdx.weaken("mrservicetd", why, to=hex_list(bound))
