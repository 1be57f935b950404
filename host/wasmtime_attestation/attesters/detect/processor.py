"""What the processor and its kernel say about memory encryption.

Sources: Linux, Documentation/ABI/testing/sysfs-devices-system-cpu (`sev/vmpl`) and
arch/x86/kernel/{cpuid,msr}.c; AMD publication 24593, section 15.34 (SEV_STATUS); Intel,
"Guest-Host-Communication Interface for TDX", CPUID leaf 0x21; Microsoft, "Hypervisor Top
Level Functional Specification", leaf 0x4000000C (isolation configuration).
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass

from wasmtime_attestation.attesters.detect.files import Files

CPUINFO = "/proc/cpuinfo"
CPUID = "/dev/cpu/0/cpuid"
MSR = "/dev/cpu/0/msr"
_SEV_STATUS = 0xC001_0131
_TDX_LEAF = 0x21
_HYPERVISOR_LEAF = 0x4000_0000
_ISOLATION_LEAF = 0x4000_000C
_TDX_NAME = b"IntelTDX    "
_HYPER_V = b"Microsoft Hv"
_ISOLATION = {1: "VBS", 2: "SEV-SNP", 3: "TDX"}


@dataclass(frozen=True, slots=True)
class Processor:
    """The first processor, as far as this user can see it.

    Attributes:
        vendor: such as `GenuineIntel`; empty where it is not known.
        model: its name.
        flags: what the kernel names in /proc/cpuinfo.
        hypervisor: the signature in CPUID; empty where it cannot be read.
        isolation: how Hyper-V isolates the machine: VBS, SEV-SNP, TDX or empty.
        is_td: whether CPUID says that this is a trust domain; None where it cannot be read.
        sev_status: the bits of SEV_STATUS (SEV, SEV-ES, SEV-SNP); None where it cannot be read.
    """

    vendor: str = ""
    model: str = ""
    flags: frozenset[str] = frozenset()
    hypervisor: str = ""
    isolation: str = ""
    is_td: bool | None = None
    sev_status: int | None = None

    @property
    def is_virtual(self) -> bool:
        """Whether a hypervisor is below; the SEV flags of a host speak of its guests."""
        return "hypervisor" in self.flags


def examine(files: Files) -> Processor:
    """Reads what can be read."""
    lines = dict(_line(line) for line in reversed(files.text(CPUINFO).splitlines()))
    vendor = lines.get("vendor_id", "")
    flags = frozenset(lines.get("flags", lines.get("Features", "")).split())
    is_virtual = "hypervisor" in flags
    hypervisor = _hypervisor(files) if is_virtual else b""
    return Processor(
        vendor=vendor,
        model=lines.get("model name", ""),
        flags=flags,
        hypervisor=hypervisor.rstrip(b"\0").decode("ascii", "replace"),
        isolation=_isolation(files) if hypervisor == _HYPER_V else "",
        is_td=_is_td(files) if vendor == "GenuineIntel" else None,
        sev_status=_sev_status(files) if vendor == "AuthenticAMD" and is_virtual else None,
    )


def _line(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip(), value.strip()


def _registers(files: Files, leaf: int) -> bytes:
    """Returns EAX, EBX, ECX and EDX of a leaf; empty where the device cannot be read."""
    data = files.bytes_at(CPUID, leaf, 16)
    return data if len(data) == 16 else b""


def _hypervisor(files: Files) -> bytes:
    return _registers(files, _HYPERVISOR_LEAF)[4:]


def _isolation(files: Files) -> str:
    ebx = _registers(files, _ISOLATION_LEAF)[4:8]
    return _ISOLATION.get(int.from_bytes(ebx, "little") & 0xF, "")


def _is_td(files: Files) -> bool | None:
    registers = _registers(files, _TDX_LEAF)
    if not registers:
        return None
    _, ebx, ecx, edx = struct.unpack("<4I", registers)
    return struct.pack("<3I", ebx, edx, ecx) == _TDX_NAME


def _sev_status(files: Files) -> int | None:
    data = files.bytes_at(MSR, _SEV_STATUS, 8)
    return int.from_bytes(data, "little") if len(data) == 8 else None


def cpuid_is_readable(files: Files) -> bool:
    """Whether this user can read CPUID through the kernel's device."""
    return files.has(CPUID) and files.may(CPUID, os.R_OK)
