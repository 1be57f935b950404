"""The signs of a trusted execution environment, and what each says of this machine.

Sources: Linux, Documentation/ABI/testing/{configfs-tsm-report,sysfs-devices-system-cpu,
sysfs-kernel-uv}, Documentation/security/secrets/coco.rst and drivers/virt/coco.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from wasmtime_attestation.attesters.detect import processor, surroundings
from wasmtime_attestation.attesters.detect.files import Files, Outcome
from wasmtime_attestation.attesters.detect.processor import Processor
from wasmtime_attestation.attesters.detect.surroundings import Surroundings
from wasmtime_attestation.errors import AttestationError, UnavailableError
from wasmtime_attestation.wit import TeeInfo, TeeType

TSM = "/sys/kernel/config/tsm/report"
TPM = "/dev/tpmrm0"
SEV_GUEST = "/dev/sev-guest"
TDX_GUEST = "/dev/tdx_guest"
OLD_TDX_GUEST = "/dev/tdx-guest"

Ask = Callable[[str], TeeInfo]
"""Asks a device through the attester of a provider's name; it raises `AttestationError`."""


@dataclass(frozen=True, slots=True)
class Sign:
    """Something to look at.

    Attributes:
        id: stable, for programs.
        path: where it is.
        tee_type: what it means if it is there; none where the content says so.
        provider: how evidence would be reached; empty where there is no way.
    """

    id: str
    path: str
    tee_type: TeeType = TeeType.NONE
    provider: str = ""


@dataclass(frozen=True, slots=True)
class Probe:
    """A sign that was looked at.

    Attributes:
        sign: what was looked at.
        outcome: whether it is there and can be used.
        tee_type: what it says of this machine; none where it says nothing.
        detail: what was seen.
        is_silent: whether a device failed to answer, which may pass.
    """

    sign: Sign
    outcome: Outcome
    tee_type: TeeType = TeeType.NONE
    detail: str = ""
    is_silent: bool = False

    @property
    def found(self) -> bool:
        """Whether something is there, usable or not."""
        return self.outcome is not Outcome.ABSENT


# Most telling first: whoever answers for the hardware, the guest's devices, the kernel, the CPU.
PARAVISOR = Sign("azure-vtpm", TPM, provider="azure-vtpm")
REPORTS = Sign("configfs-tsm", TSM, provider="configfs-tsm")
DEVICES = (
    Sign("sev-guest", SEV_GUEST, TeeType.AMD_SEV_SNP, "sev-guest"),
    Sign("tdx-guest", TDX_GUEST, TeeType.INTEL_TDX, "tdx-guest"),
    Sign("tdx-guest-1.0", OLD_TDX_GUEST, TeeType.INTEL_TDX),
)
KERNEL = (
    Sign("snp-vmpl", "/sys/devices/system/cpu/sev", TeeType.AMD_SEV_SNP),
    Sign("snp-driver", "/sys/devices/platform/sev-guest", TeeType.AMD_SEV_SNP),
    Sign("tdx-driver", "/sys/class/misc/tdx_guest", TeeType.INTEL_TDX),
)
PROCESSOR = (
    Sign("cpu-flags", processor.CPUINFO),
    Sign("cpuid", processor.CPUID),
    Sign("sev-status", processor.MSR),
)
OTHERS = (
    Sign("sev-firmware", "/sys/firmware/sev", TeeType.AMD_SEV),
    Sign("sev-secrets", "/sys/kernel/security/secrets/coco", TeeType.AMD_SEV),
    Sign("secure-execution", "/sys/firmware/uv/prot_virt_guest", TeeType.IBM_SE),
)
CLOUD = Sign("cloud", surroundings.DMI)


@dataclass(slots=True)
class Inspection:
    """Looks at every sign of a machine.

    Attributes:
        files: its file system.
        ask: asks its devices; None to look at files alone.
        processor, surroundings: what was found out about them.
    """

    files: Files
    ask: Ask | None = None
    processor: Processor = field(init=False)
    surroundings: Surroundings = field(init=False)

    def __post_init__(self) -> None:
        self.processor = processor.examine(self.files)
        self.surroundings = surroundings.examine(self.files)

    def probes(self) -> Iterator[Probe]:
        """Looks at the signs, most telling first."""
        yield self._cloud()
        yield self._paravisor()
        yield self._reports()
        yield from map(self._device, DEVICES)
        yield from map(self._file, KERNEL)
        yield from map(self._processor, PROCESSOR)
        yield from map(self._other, OTHERS)

    def _cloud(self) -> Probe:
        name = self.surroundings.cloud_name
        outcome = Outcome.FOUND if name else self.files.look(CLOUD.path)
        return Probe(CLOUD, outcome, detail=name or "no cloud that is known")

    def _paravisor(self) -> Probe:
        """Only Azure's vTPM speaks for the hardware; others are asked nothing."""
        outcome = self._usable(PARAVISOR, os.R_OK | os.W_OK)
        is_azure = self.surroundings.cloud == "azure" or bool(self.processor.isolation)
        if outcome is not Outcome.FOUND or not is_azure:
            detail = "a TPM, but not one of Azure's" if outcome is Outcome.FOUND else ""
            return Probe(PARAVISOR, outcome, detail=detail)
        return self._answer(PARAVISOR)

    def _reports(self) -> Probe:
        outcome = self._usable(REPORTS, os.W_OK | os.X_OK)
        return Probe(REPORTS, outcome) if outcome is not Outcome.FOUND else self._answer(REPORTS)

    def _answer(self, sign: Sign) -> Probe:
        if self.ask is None:
            return Probe(sign, Outcome.FOUND, detail="not asked what is behind it")
        try:
            info = self.ask(sign.provider)
        except AttestationError as error:
            is_silent = isinstance(error, UnavailableError)
            return Probe(sign, Outcome.FAILED, detail=error.message, is_silent=is_silent)
        if info.tee_type is TeeType.NONE or not info.supports_attestation:
            return Probe(sign, Outcome.FAILED, info.tee_type, "nothing answers behind it")
        return Probe(sign, Outcome.FOUND, info.tee_type)

    def _device(self, sign: Sign) -> Probe:
        outcome = self._usable(sign, os.R_OK | os.W_OK)
        return Probe(sign, outcome, sign.tee_type if outcome is not Outcome.ABSENT else _NONE)

    def _file(self, sign: Sign) -> Probe:
        outcome = self.files.look(sign.path)
        return Probe(sign, outcome, sign.tee_type if outcome is Outcome.FOUND else _NONE)

    def _other(self, sign: Sign) -> Probe:
        probe = self._file(sign)
        is_off = sign.tee_type is TeeType.IBM_SE and self.files.text(sign.path) != "1"
        return Probe(sign, probe.outcome, detail="it is off") if probe.found and is_off else probe

    def _usable(self, sign: Sign, mode: int) -> Outcome:
        outcome = self.files.look(sign.path)
        is_denied = outcome is Outcome.FOUND and not self.files.may(sign.path, mode)
        return Outcome.DENIED if is_denied else outcome

    def _processor(self, sign: Sign) -> Probe:
        outcome = self._usable(sign, os.R_OK)
        tee_type, detail = _READINGS[sign.id](self.processor)
        return Probe(sign, outcome, tee_type, detail if outcome is Outcome.FOUND else "")


_NONE = TeeType.NONE
_SEV_FLAGS = ("sev", "sev_es", "sev_snp")


def _flags(cpu: Processor) -> tuple[TeeType, str]:
    """Flags of a host speak of the guests that it can have, so only a guest's count.

    A hypervisor may show `sev_snp` to any guest: it says encryption at most.
    """
    if "tdx_guest" in cpu.flags:
        return TeeType.INTEL_TDX, "tdx_guest"
    named = " ".join(flag for flag in _SEV_FLAGS if flag in cpu.flags)
    if named and not cpu.is_virtual:
        return _NONE, f"{named}, of a host: it can have such guests"
    return (TeeType.AMD_SEV if named else _NONE), named or "neither tdx_guest nor sev"


def _cpuid(cpu: Processor) -> tuple[TeeType, str]:
    if cpu.is_td:
        return TeeType.INTEL_TDX, "leaf 0x21 says IntelTDX"
    isolated = {"SEV-SNP": TeeType.AMD_SEV_SNP, "TDX": TeeType.INTEL_TDX}.get(cpu.isolation, _NONE)
    if cpu.isolation:
        return isolated, f"Hyper-V isolates this machine by {cpu.isolation}"
    return _NONE, f"hypervisor {cpu.hypervisor!a}" if cpu.hypervisor else "no trust domain"


def _sev_status(cpu: Processor) -> tuple[TeeType, str]:
    """SEV_STATUS is what the hardware enforces, where the kernel lets us read it."""
    status = cpu.sev_status
    if status is None:
        return _NONE, "not readable"
    names = [name for bit, name in enumerate(("SEV", "SEV-ES", "SEV-SNP")) if status >> bit & 1]
    kind = (TeeType.AMD_SEV_SNP if status >> 2 & 1 else TeeType.AMD_SEV) if names else _NONE
    return kind, ", ".join(names) or "no SEV"


_READINGS: dict[str, Callable[[Processor], tuple[TeeType, str]]] = {
    "cpu-flags": _flags,
    "cpuid": _cpuid,
    "sev-status": _sev_status,
}
