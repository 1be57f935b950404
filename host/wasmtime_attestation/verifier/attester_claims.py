"""Claims about a virtual machine in the words that Microsoft's and Intel's services share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from wasmtime_attestation.claims.trustworthiness import worst
from wasmtime_attestation.claims.verdict import Environment
from wasmtime_attestation.endorsements.json_object import JsonObject
from wasmtime_attestation.errors import Finding
from wasmtime_attestation.evidence.tdx_fields import TdAttributes
from wasmtime_attestation.wit import Status, TeeType

# Claims of TDX that both services use, and bytes of each.
TDX: Mapping[str, int] = {
    "mrtd": 48,
    "rtmr0": 48,
    "rtmr1": 48,
    "rtmr2": 48,
    "rtmr3": 48,
    "mrseam": 48,
    "mrconfigid": 48,
    "mrowner": 48,
    "mrownerconfig": 48,
    "xfam": 8,
}
_UP_TO_DATE, _REVOKED = "UpToDate", "Revoked"


Judged = tuple[tuple[Status, Finding], ...]
"""Findings, and the status that each calls for."""


def tdx(name: str, claims: JsonObject, also: Judged = ()) -> Environment:
    """Returns a TD that a service verified.

    Args:
        name: for the environment.
        claims: the members that begin with `tdx_`, and the service's own.
        also: further findings.

    Raises:
        ValueError: a claim is missing or malformed.
    """
    claims.hex_bytes("tdx_mrtd", TDX["mrtd"])
    return environment(
        name,
        TeeType.INTEL_TDX,
        debug=_tdx_debug(claims),
        tcb_status=claims.optional_string("attester_tcb_status"),
        report_data=optional_hex(claims, "tdx_report_data", 64),
        measurements={
            field: value.hex()
            for field, size in TDX.items()
            if (value := optional_hex(claims, f"tdx_{field}", size)) is not None
        },
        settings=_tdx_settings(claims),
        also=also,
    )


def environment(
    name: str,
    tee_type: TeeType,
    *,
    debug: bool | None,
    tcb_status: str | None,
    report_data: bytes | None,
    measurements: Mapping[str, str],
    settings: Mapping[str, bool | None],
    also: Judged = (),
) -> Environment:
    """Returns an environment with the status that its claims call for.

    Args:
        name: the name.
        tee_type: the kind.
        debug: whether it is open for debugging; None where nobody says.
        tcb_status: Intel's word; None where there is none.
        report_data: what is bound to the evidence.
        measurements: the digests.
        settings: of the launch; None where nobody says.
        also: further findings.
    """
    judged = (*_debug(debug), *_tcb(tcb_status), *also)
    return Environment(
        name=name,
        tee_type=tee_type,
        status=worst((Status.AFFIRMING, *(status for status, _ in judged))),
        debug=debug,
        tcb_status=tcb_status,
        report_data=report_data,
        measurements=measurements,
        settings={name: value for name, value in settings.items() if value is not None},
        findings=tuple(finding for _, finding in judged),
    )


def optional_hex(claims: JsonObject, name: str, size: int) -> bytes | None:
    """Returns bytes in hex; None where they are absent."""
    return None if claims.members.get(name) is None else claims.hex_bytes(name, size)


def _debug(debug: bool | None) -> Iterator[tuple[Status, Finding]]:
    if debug is None:
        text = "the token does not say whether the host can read the guest's memory"
        yield Status.WARNING, Finding("policy.debug", text)
    elif debug:
        text = "debug allowed: the host can read the guest's memory"
        yield Status.CONTRAINDICATED, Finding("policy.debug", text)


def _tcb(status: str | None) -> Iterator[tuple[Status, Finding]]:
    if status is not None and status != _UP_TO_DATE:
        bad = Status.CONTRAINDICATED if status == _REVOKED else Status.WARNING
        yield bad, Finding("policy.tcb-status", f"the TCB status is {status[:40]!r}")


def _tdx_settings(claims: JsonObject) -> dict[str, bool | None]:
    """Bits of ATTRIBUTES (Intel TDX Module 1.5 ABI specification, TDCS.ATTRIBUTES)."""
    attributes = optional_hex(claims, "tdx_td_attributes", 8)
    if attributes is None:
        stated = claims.optional_boolean("tdx_td_attributes_septve_disable")
        return {"sept-ve-disable": stated, "migratable": None, "reserved-attributes": None}
    decoded = TdAttributes.decode(attributes)
    return {
        "sept-ve-disable": decoded.sept_ve_disable,
        "migratable": decoded.migratable,
        "reserved-attributes": decoded.reserved_bits != 0,
    }


def _tdx_debug(claims: JsonObject) -> bool | None:
    """Whoever says that debugging is on is believed, whatever the others say."""
    said = [claims.optional_boolean(n) for n in ("tdx_is_debuggable", "tdx_td_attributes_debug")]
    if (attributes := optional_hex(claims, "tdx_td_attributes", 8)) is not None:
        said.append(TdAttributes.decode(attributes).under_debug)
    if (state := claims.optional_string("dbgstat")) is not None:
        said.append(not state.startswith("disabled"))
    known = [answer for answer in said if answer is not None]
    return any(known) if known else None
