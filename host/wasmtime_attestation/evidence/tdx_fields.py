"""The structures within a TDX quote: the TD's report and the Quoting Enclave's.

Source: Intel, "Intel TDX DCAP Quoting Library API", appendix A.3 (quote format), and
"Intel TDX Module Base Architecture Specification" (TDATTRIBUTES).
"""

from __future__ import annotations

from dataclasses import dataclass

from wasmtime_attestation.evidence.reader import Reader

TD_REPORT_SIZE = 584
"""Bytes in the TD report of TDX 1.0."""
TD_REPORT_15_SIZE = 648
"""Bytes in the TD report of TDX 1.5, which has two fields more."""
QE_REPORT_SIZE = 384

_DEBUG = 0
_TD_UNDER_DEBUG = 0xFF
_KNOWN_ATTRIBUTES = {
    "debug": _DEBUG,
    "sept_ve_disable": 28,
    "migratable": 29,
    "pks": 30,
    "key_locker": 31,
    "perfmon": 63,
}


@dataclass(frozen=True, slots=True)
class TdAttributes:
    """TDATTRIBUTES: how the TD was configured.

    Attributes:
        under_debug: whether any bit of the TUD group (0 to 7) is set: the host
            can then look into the TD, whichever of them it is.
        reserved_bits: what is set and has no name here.
    """

    raw: bytes
    debug: bool
    under_debug: bool
    sept_ve_disable: bool
    migratable: bool
    pks: bool
    key_locker: bool
    perfmon: bool
    reserved_bits: int

    @classmethod
    def decode(cls, raw: bytes) -> TdAttributes:
        """Reads the eight bytes of TDATTRIBUTES."""
        bits = int.from_bytes(raw, "little")
        named = {name: bool(bits >> bit & 1) for name, bit in _KNOWN_ATTRIBUTES.items()}
        known = sum(1 << bit for bit in _KNOWN_ATTRIBUTES.values())
        return cls(
            raw=raw,
            under_debug=bool(bits & _TD_UNDER_DEBUG),
            reserved_bits=bits & ~known,
            **named,
        )


@dataclass(frozen=True, slots=True)
class TdReport:
    """What the TDX module says of a TD; field names are the specification's.

    Attributes:
        tee_tcb_svn: security version numbers when the TD was launched: of the
            module (minor, then major) and of what loaded it.
        tee_tcb_svn_2: the same when the quote was made; None in TDX 1.0.
        mrservicetd: of the service TDs that are bound to the TD; None in TDX 1.0.
    """

    tee_tcb_svn: bytes
    mrseam: bytes
    mrsignerseam: bytes
    seam_attributes: bytes
    td_attributes: TdAttributes
    xfam: bytes
    mrtd: bytes
    mrconfigid: bytes
    mrowner: bytes
    mrownerconfig: bytes
    rtmr0: bytes
    rtmr1: bytes
    rtmr2: bytes
    rtmr3: bytes
    report_data: bytes
    tee_tcb_svn_2: bytes | None
    mrservicetd: bytes | None

    @classmethod
    def decode(cls, r: Reader, size: int) -> TdReport:
        """Reads a TD report of TDX 1.0 or, by its size, 1.5."""
        is_15 = size == TD_REPORT_15_SIZE
        return cls(
            tee_tcb_svn=r.take(16, "TEE_TCB_SVN"),
            mrseam=r.take(48, "MRSEAM"),
            mrsignerseam=r.take(48, "MRSIGNERSEAM"),
            seam_attributes=r.take(8, "SEAMATTRIBUTES"),
            td_attributes=TdAttributes.decode(r.take(8, "TDATTRIBUTES")),
            xfam=r.take(8, "XFAM"),
            mrtd=r.take(48, "MRTD"),
            mrconfigid=r.take(48, "MRCONFIGID"),
            mrowner=r.take(48, "MROWNER"),
            mrownerconfig=r.take(48, "MROWNERCONFIG"),
            rtmr0=r.take(48, "RTMR0"),
            rtmr1=r.take(48, "RTMR1"),
            rtmr2=r.take(48, "RTMR2"),
            rtmr3=r.take(48, "RTMR3"),
            report_data=r.take(64, "REPORTDATA"),
            tee_tcb_svn_2=r.take(16, "TEE_TCB_SVN_2") if is_15 else None,
            mrservicetd=r.take(48, "MRSERVICETD") if is_15 else None,
        )


@dataclass(frozen=True, slots=True)
class QeReport:
    """What the processor says of the Quoting Enclave: an SGX REPORT's body."""

    cpu_svn: bytes
    misc_select: bytes
    attributes: bytes
    mrenclave: bytes
    mrsigner: bytes
    isv_prod_id: int
    isv_svn: int
    report_data: bytes

    @classmethod
    def decode(cls, r: Reader) -> QeReport:
        """Reads the 384 bytes of the report's body."""
        cpu_svn = r.take(16, "the QE report's CPUSVN")
        misc_select = r.take(4, "the QE report's MISCSELECT")
        r.take(28, "the QE report's reserved bytes")
        attributes = r.take(16, "the QE report's ATTRIBUTES")
        mrenclave = r.take(32, "the QE report's MRENCLAVE")
        r.take(32, "the QE report's reserved bytes")
        mrsigner = r.take(32, "the QE report's MRSIGNER")
        r.take(96, "the QE report's reserved bytes")
        isv_prod_id = r.uint(2, "the QE report's ISVPRODID")
        isv_svn = r.uint(2, "the QE report's ISVSVN")
        r.take(60, "the QE report's reserved bytes")
        report_data = r.take(64, "the QE report's REPORTDATA")
        return cls(
            cpu_svn,
            misc_select,
            attributes,
            mrenclave,
            mrsigner,
            isv_prod_id,
            isv_svn,
            report_data,
        )
