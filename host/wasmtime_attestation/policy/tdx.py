"""What a policy accepts of a TDX quote: the table `tdx` (`docs/policy.md`)."""

from __future__ import annotations

from dataclasses import dataclass

from wasmtime_attestation.endorsements.intel import TcbStatus
from wasmtime_attestation.policy.table import Table


@dataclass(frozen=True, slots=True)
class TdxPolicy:
    """What is accepted of a TDX quote.

    A set of reference values that is None does not constrain; one that is empty
    accepts nothing.
    """

    tcb_statuses: frozenset[TcbStatus] = frozenset({TcbStatus.UP_TO_DATE})
    denied_advisories: frozenset[str] = frozenset()
    minimum_evaluation: int = 0
    unsafe_allow_debug: bool = False
    allow_migration: bool = False
    allow_service_td: bool = False
    require_sept_ve_disable: bool = True
    mrtd: frozenset[bytes] | None = None
    rtmr0: frozenset[bytes] | None = None
    rtmr1: frozenset[bytes] | None = None
    rtmr2: frozenset[bytes] | None = None
    rtmr3: frozenset[bytes] | None = None
    mrseam: frozenset[bytes] | None = None
    mrconfigid: frozenset[bytes] | None = None
    mrowner: frozenset[bytes] | None = None
    mrownerconfig: frozenset[bytes] | None = None
    mrservicetd: frozenset[bytes] | None = None
    xfam: frozenset[bytes] | None = None
    fmspc: frozenset[bytes] | None = None


def read(table: Table) -> TdxPolicy:
    """Reads the table.

    Raises:
        ValueError: a setting is unknown or not of its kind.
    """
    policy = TdxPolicy(
        tcb_statuses=frozenset(map(_status, table.strings("tcb-statuses", ["UpToDate"]))),
        denied_advisories=frozenset(table.strings("denied-advisories")),
        minimum_evaluation=table.integer("minimum-tcb-evaluation", 0),
        unsafe_allow_debug=table.boolean("unsafe-allow-debug", default=False),
        allow_migration=table.boolean("allow-migration", default=False),
        allow_service_td=table.boolean("allow-service-td", default=False),
        require_sept_ve_disable=table.boolean("require-sept-ve-disable", default=True),
        mrtd=table.byte_strings("mrtd", 48),
        rtmr0=table.byte_strings("rtmr0", 48),
        rtmr1=table.byte_strings("rtmr1", 48),
        rtmr2=table.byte_strings("rtmr2", 48),
        rtmr3=table.byte_strings("rtmr3", 48),
        mrseam=table.byte_strings("mrseam", 48),
        mrconfigid=table.byte_strings("mrconfigid", 48),
        mrowner=table.byte_strings("mrowner", 48),
        mrownerconfig=table.byte_strings("mrownerconfig", 48),
        mrservicetd=table.byte_strings("mrservicetd", 48),
        xfam=table.byte_strings("xfam", 8),
        fmspc=table.byte_strings("fmspc", 6),
    )
    table.end()
    return policy


def _status(text: str) -> TcbStatus:
    try:
        return TcbStatus(text)
    except ValueError as error:
        known = ", ".join(TcbStatus)
        raise ValueError(f"tdx.tcb-statuses has {text!r}; known are {known}") from error
