"""What a policy accepts of a TDX quote: the table `tdx` (`docs/policy.md`)."""

from __future__ import annotations

from dataclasses import dataclass

from wasmtime_attestation.endorsements.intel import TcbStatus
from wasmtime_attestation.policy.table import Table

MAX_GRACE_DAYS = 36_500
"""A century: more is a mistake."""


@dataclass(frozen=True, slots=True)
class TdxPolicy:
    """What is accepted of a TDX quote.

    A set of reference values that is None does not constrain; one that is empty
    accepts nothing.

    Attributes:
        unsafe_allow_missing_lists: whether Intel's revocation lists may be missing: nobody knows
            then whether a key was revoked.
    """

    tcb_statuses: frozenset[TcbStatus] = frozenset({TcbStatus.UP_TO_DATE})
    grace_period_days: int | None = None
    denied_advisories: frozenset[str] = frozenset()
    minimum_evaluation: int = 0
    maximum_collateral_age: int | None = None
    unsafe_allow_debug: bool = False
    allow_migration: bool = False
    allow_service_td: bool = False
    require_sept_ve_disable: bool = True
    allow_reserved_attributes: bool = False
    unsafe_allow_missing_lists: bool = False
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
        tcb_statuses=table.choices(
            "tcb-statuses", TcbStatus, [TcbStatus.UP_TO_DATE], "TCB statuses that are accepted."
        ),
        grace_period_days=table.limit(
            "grace-period-days",
            MAX_GRACE_DAYS,
            "How long after its date a TCB that is out of date is accepted; where this is given, "
            "it alone decides on such TCBs.",
        ),
        denied_advisories=frozenset(
            table.strings("denied-advisories", about="Advisories that no platform may be open to.")
        ),
        minimum_evaluation=table.integer(
            "minimum-tcb-evaluation",
            0,
            about="The lowest TCB evaluation data number of TCB info and QE identity.",
        ),
        maximum_collateral_age=table.limit(
            "maximum-collateral-age-seconds",
            about="How long ago TCB info and QE identity may have been issued.",
        ),
        unsafe_allow_debug=table.boolean(
            "unsafe-allow-debug", default=False, about="Whether the host may read the TD's memory."
        ),
        allow_migration=table.boolean(
            "allow-migration", default=False, about="Whether the TD may be migrated."
        ),
        allow_service_td=table.boolean(
            "allow-service-td",
            default=False,
            about="Whether service TDs may be bound to the TD; `mrservicetd` names which.",
        ),
        require_sept_ve_disable=table.boolean(
            "require-sept-ve-disable",
            default=True,
            about="Whether the host must be unable to inject exceptions at memory accesses.",
        ),
        allow_reserved_attributes=table.boolean(
            "allow-reserved-attributes",
            default=False,
            about="Whether bits of TDATTRIBUTES may be set whose meaning this release does not "
            "know.",
        ),
        unsafe_allow_missing_lists=table.boolean(
            "unsafe-allow-missing-revocation-lists",
            default=False,
            about="Whether Intel's revocation lists may be missing.",
        ),
        mrtd=table.byte_strings("mrtd", 48, _reference("mrtd")),
        rtmr0=table.byte_strings("rtmr0", 48, _reference("rtmr0")),
        rtmr1=table.byte_strings("rtmr1", 48, _reference("rtmr1")),
        rtmr2=table.byte_strings("rtmr2", 48, _reference("rtmr2")),
        rtmr3=table.byte_strings("rtmr3", 48, _reference("rtmr3")),
        mrseam=table.byte_strings("mrseam", 48, _reference("mrseam")),
        mrconfigid=table.byte_strings("mrconfigid", 48, _reference("mrconfigid")),
        mrowner=table.byte_strings("mrowner", 48, _reference("mrowner")),
        mrownerconfig=table.byte_strings("mrownerconfig", 48, _reference("mrownerconfig")),
        mrservicetd=table.byte_strings("mrservicetd", 48, _reference("mrservicetd")),
        xfam=table.byte_strings("xfam", 8, _reference("xfam")),
        fmspc=table.byte_strings("fmspc", 6, _reference("fmspc")),
    )
    table.end()
    return policy


def _reference(name: str) -> str:
    return f"Reference values for {name.upper()}."
