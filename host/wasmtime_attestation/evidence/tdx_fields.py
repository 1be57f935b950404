"""The structures within a TDX quote: the TD's report and the Quoting Enclave's.

Source: Intel, "Intel TDX DCAP Quoting Library API", appendix A.3 (quote format), and
"Intel TDX Module Base Architecture Specification" (TDATTRIBUTES).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from struct import Struct
from typing import Any

from wasmtime_attestation.evidence.reader import Reader

TD_REPORT_SIZE = 584
"""Bytes in the TD report of TDX 1.0."""
TD_REPORT_15_SIZE = 648
"""Bytes in the TD report of TDX 1.5, which has two fields more."""
TD_REPORT_15_EX_SIZE = 885
"""Bytes in the extended TD report of TDX 1.5, which also tells of the service TD."""
QE_REPORT_SIZE = 384
QE_REPORT_DATA = 320
"""Where REPORTDATA begins in the Quoting Enclave's report; it reaches to the end."""

_TD_UNDER_DEBUG = 0xFF
# TDX Module ABI, ATTRIBUTES. Group TUD (bits 0 to 7) counts as debug as a whole.
_NAMED = (*range(8), 16, 17, 27, 28, 29, 30, 31, 62, 63)
_RESERVED = ~sum(1 << bit for bit in _NAMED)

# TEE_TCB_SVN, MRSEAM, MRSIGNERSEAM, SEAMATTRIBUTES, TDATTRIBUTES, XFAM, MRTD, MRCONFIGID, MROWNER,
# MROWNERCONFIG, RTMR0 to RTMR3, REPORTDATA; from TDX 1.5 on also TEE_TCB_SVN_2 and MRSERVICETD.
_TD_REPORT = Struct("<16s 48s 48s 8s 8s 8s 48s 48s 48s 48s 48s 48s 48s 48s 64s")
_TD_REPORT_15 = Struct("<16s 48s")
_NONE = (None, None)
# VMID, TD_ID, DEVINFO, INIT_SERVTD_HASH, INIT_SERVTD_ATTR, INIT_CPU_SVN, INIT_TEE_TCB_SVN,
# INIT_TEE_FMSPC, CURR_SERVTD_HASH, CURR_SERVTD_ATTR.
_TD_REPORT_15_EX = Struct("<B 32s 48s 48s 8s 16s 16s 12s 48s 8s")
# CPUSVN, PCESVN, PCEID.
_PCK_TCB = Struct("<16s H 2s")
PPID_SIZE = 16
ENCRYPTED_PPID_SIZE = 384
PCK_REFERENCE_SIZES = {1: PPID_SIZE + 20, 2: 256 + 20, 3: ENCRYPTED_PPID_SIZE + 20}
"""Bytes of certification data by its type: the PPID plain, by RSA-2048 or by RSA-3072."""
# CPUSVN, MISCSELECT, ATTRIBUTES, MRENCLAVE, MRSIGNER, ISVPRODID, ISVSVN, REPORTDATA.
_QE_REPORT = Struct("<16s 4s 28x 16s 32s 32x 32s 96x H H 60x 64s")


@dataclass(frozen=True, slots=True)
class TdAttributes:
    """TDATTRIBUTES: how the TD was configured.

    Attributes:
        under_debug: whether any bit of the TUD group (0 to 7) is set: the host
            can then look into the TD, whichever of them it is.
        reserved_bits: what else is set and has no name in the specification.
    """

    raw: bytes
    debug: bool
    under_debug: bool
    icssd: bool
    service_td_extension: bool
    lass: bool
    sept_ve_disable: bool
    migratable: bool
    pks: bool
    key_locker: bool
    tpa: bool
    perfmon: bool
    reserved_bits: int

    @classmethod
    @lru_cache(maxsize=64)  # a fleet has few values
    def decode(cls, raw: bytes) -> TdAttributes:
        """Reads the eight bytes of TDATTRIBUTES."""
        bits = int.from_bytes(raw, "little")
        return cls(
            raw=raw,
            debug=bits & 1 != 0,
            under_debug=bits & _TD_UNDER_DEBUG != 0,
            icssd=bits >> 16 & 1 != 0,
            service_td_extension=bits >> 17 & 1 != 0,
            lass=bits >> 27 & 1 != 0,
            sept_ve_disable=bits >> 28 & 1 != 0,
            migratable=bits >> 29 & 1 != 0,
            pks=bits >> 30 & 1 != 0,
            key_locker=bits >> 31 & 1 != 0,
            tpa=bits >> 62 & 1 != 0,
            perfmon=bits >> 63 & 1 != 0,
            reserved_bits=bits & _RESERVED,
        )


@dataclass(frozen=True, slots=True)
class ServiceTd:
    """What the extended TD report adds: the TD's identity, and the service TD that may move it.

    Attributes:
        vmid, td_id: the TD on its platform, and among all.
        devinfo: of the devices that are assigned to the TD.
        init_hash, init_attributes: the service TD that was bound first.
        init_cpu_svn, init_tee_tcb_svn, init_tee_fmspc: the platform on which that was.
        current_hash, current_attributes: the service TD that is bound now.
    """

    vmid: int
    td_id: bytes
    devinfo: bytes
    init_hash: bytes
    init_attributes: bytes
    init_cpu_svn: bytes
    init_tee_tcb_svn: bytes
    init_tee_fmspc: bytes
    current_hash: bytes
    current_attributes: bytes


@dataclass(frozen=True, slots=True)
class TdReport:
    """What the TDX module says of a TD; field names are the specification's.

    Attributes:
        tee_tcb_svn: security version numbers when the TD was launched: of the
            module (minor, then major) and of what loaded it.
        tee_tcb_svn_2: the same when the quote was made; None in TDX 1.0.
        mrservicetd: of the service TDs that are bound to the TD; None in TDX 1.0.
        service_td: what the extended report adds; None in the others.
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
    service_td: ServiceTd | None = None

    @classmethod
    def decode(cls, r: Reader, size: int) -> TdReport:
        """Reads a TD report of TDX 1.0 or, by its size, 1.5 or 1.5 extended."""
        fields = r.fields(_TD_REPORT, "the TD report")
        added = r.fields(_TD_REPORT_15, "the TD report") if size > TD_REPORT_SIZE else _NONE
        service_td = None
        if size == TD_REPORT_15_EX_SIZE:
            service_td = ServiceTd(*r.fields(_TD_REPORT_15_EX, "the extended TD report"))
        seam, attributes, rest = fields[:4], TdAttributes.decode(fields[4]), fields[5:]
        values: tuple[Any, ...] = (*seam, attributes, *rest, *added, service_td)
        return cls(*values)


@dataclass(frozen=True, slots=True)
class PckReference:
    """Which PCK signed the Quoting Enclave's report, where the quote has no certificates.

    Attributes:
        ppid: the platform's id, 16 bytes; None where it is encrypted, so that only Intel can
            read it.
        encrypted_ppid: the same encrypted by RSA-3072, 384 bytes, by which Intel's service finds
            the certificate; None where it is not there in this form.
        cpu_svn, pce_svn: the TCB that the PCK is of.
        pce_id: of the Provisioning Certification Enclave.
    """

    ppid: bytes | None
    cpu_svn: bytes
    pce_svn: int
    pce_id: bytes
    encrypted_ppid: bytes | None = None

    @classmethod
    def decode(cls, r: Reader, size: int) -> PckReference:
        """Reads certification data of type 1, 2 or 3; they differ in the size of the PPID."""
        ppid = r.take(size - _PCK_TCB.size, "the PPID")
        plain = ppid if len(ppid) == PPID_SIZE else None
        encrypted = ppid if len(ppid) == ENCRYPTED_PPID_SIZE else None
        cpu_svn, pce_svn, pce_id = r.fields(_PCK_TCB, "the PCK's TCB")
        return cls(plain, cpu_svn, pce_svn, pce_id, encrypted)


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

    @property
    def debug(self) -> bool:
        """ATTRIBUTES.DEBUG: whether the host may read the enclave's memory, and so its key."""
        return self.attributes[0] >> 1 & 1 != 0

    @classmethod
    def decode(cls, body: bytes) -> QeReport:
        """Reads the 384 bytes of the report's body."""
        return cls(*_QE_REPORT.unpack(body))
