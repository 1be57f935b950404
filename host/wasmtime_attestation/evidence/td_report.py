"""The TDREPORT: what a TD gets from its TDX module before an enclave makes a quote of it.

It is authenticated by a MAC that only the same machine can verify, so nothing here is
evidence until a quote says the same.

Source: Intel, "Intel TDX Module ABI Specification", TDREPORT_STRUCT and its parts.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields

from wasmtime_attestation.evidence.reader import Reader

TD_REPORT_SIZE = 1024
FORMAT = "azure.td-report"

_TDX = 0x81
_VERSIONS = (0, 1)
_TEE_TCB_INFO_SIZE = 239
_TD_INFO_SIZE = 512


@dataclass(frozen=True, slots=True)
class TdReportStruct:
    """The fields that a quote repeats; names are the specification's, `TdReport`'s in a quote.

    Attributes:
        tee_tcb_svn_2: zero in TDX 1.0.
        mrservicetd: SERVTD_HASH, zero in TDX 1.0.
    """

    report_data: bytes
    tee_tcb_svn: bytes
    mrseam: bytes
    mrsignerseam: bytes
    seam_attributes: bytes
    tee_tcb_svn_2: bytes
    td_attributes: bytes
    xfam: bytes
    mrtd: bytes
    mrconfigid: bytes
    mrowner: bytes
    mrownerconfig: bytes
    rtmr0: bytes
    rtmr1: bytes
    rtmr2: bytes
    rtmr3: bytes
    mrservicetd: bytes


QUOTED = tuple(field.name for field in fields(TdReportStruct))
"""The fields that a quote repeats, as far as its version has them."""


def decode(data: bytes) -> TdReportStruct:
    """Decodes a TDREPORT.

    Args:
        data: exactly `TD_REPORT_SIZE` bytes.

    Raises:
        RejectedError: `azure.td-report`, if it is none: another type or size, reserved bytes
            that are set, or a digest of its own parts that is not theirs.
    """
    r = Reader(data, FORMAT, "TDREPORT")
    if len(data) != TD_REPORT_SIZE:
        r.reject(f"it has {len(data)} bytes, not {TD_REPORT_SIZE}")
    kind, subtype, version, reserved = r.take(4, "REPORTTYPE")
    if kind != _TDX or subtype or version not in _VERSIONS or reserved:
        r.reject(f"its REPORTTYPE is {data[:4].hex()}; TDX is 81, 00, 00 or 01, 00")
    r.zero(12, "the reserved bytes after REPORTTYPE")
    r.take(16, "CPUSVN")
    tcb_digest = r.take(48, "TEE_TCB_INFO_HASH")
    info_digest = r.take(48, "TEE_INFO_HASH")
    report_data = r.take(64, "REPORTDATA")
    r.zero(32, "the reserved bytes before MAC")
    r.take(32, "MAC")
    _check(r, data, "TEE_TCB_INFO", _TEE_TCB_INFO_SIZE, tcb_digest)
    return _fields(r, data, report_data, info_digest)


def _fields(r: Reader, data: bytes, report_data: bytes, info_digest: bytes) -> TdReportStruct:
    r.take(8, "VALID")
    tcb = {
        "tee_tcb_svn": r.take(16, "TEE_TCB_SVN"),
        "mrseam": r.take(48, "MRSEAM"),
        "mrsignerseam": r.take(48, "MRSIGNERSEAM"),
        "seam_attributes": r.take(8, "ATTRIBUTES of the module"),
        "tee_tcb_svn_2": r.take(16, "TEE_TCB_SVN2"),
    }
    r.zero(95, "the reserved bytes of TEE_TCB_INFO")
    r.zero(17, "the reserved bytes before TDINFO")
    _check(r, data, "TDINFO", _TD_INFO_SIZE, info_digest)
    td = {
        "td_attributes": r.take(8, "ATTRIBUTES"),
        "xfam": r.take(8, "XFAM"),
        "mrtd": r.take(48, "MRTD"),
        "mrconfigid": r.take(48, "MRCONFIGID"),
        "mrowner": r.take(48, "MROWNER"),
        "mrownerconfig": r.take(48, "MROWNERCONFIG"),
        "rtmr0": r.take(48, "RTMR0"),
        "rtmr1": r.take(48, "RTMR1"),
        "rtmr2": r.take(48, "RTMR2"),
        "rtmr3": r.take(48, "RTMR3"),
        "mrservicetd": r.take(48, "SERVTD_HASH"),
    }
    r.zero(64, "the reserved bytes of TDINFO")
    r.end()
    return TdReportStruct(report_data=report_data, **tcb, **td)


def _check(r: Reader, data: bytes, name: str, size: int, digest: bytes) -> None:
    """REPORTMACSTRUCT holds a digest of each of the two parts that follow it."""
    part = data[r.offset : r.offset + size]
    if hashlib.sha384(part).digest() != digest:
        r.reject(f"the digest of {name} in it is not that of its {name}")
