"""NVIDIA's management library (NVML), as far as collecting evidence needs it.

Each method is one call of `NvmlThread`: NVML is used from one thread, and in bounded time.

Source: NVIDIA, "NVML API Reference Guide", sections on devices and confidential computing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from wasmtime_attestation.attesters.nvml_errors import (
    ARGUMENT_VERSION_MISMATCH,
    FUNCTION_NOT_FOUND,
    NOT_SUPPORTED,
    UNINITIALIZED,
    explain,
)
from wasmtime_attestation.attesters.nvml_thread import NvmlThread
from wasmtime_attestation.errors import UnavailableError, UnsupportedError

T = TypeVar("T")
Library = Any
"""The module `pynvml`, which has no types."""

MAX_GPUS = 64
NO_PACKAGE = (
    "the Python package nvidia-ml-py is not installed, and GPUs are reached through it; "
    "install wasmtime-attestation[nvidia]"
)
_MAX_TEXT = 80
_NEEDED = ("nvmlSystemGetConfComputeSettings", "nvmlDeviceGetConfComputeGpuAttestationReport")
_UNKNOWN_ARCHITECTURE = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """How many seconds the driver may take.

    Attributes:
        start: to find every GPU; one that sleeps takes seconds to wake up.
        call: for one GPU's report and certificates, or for the state. All GPUs together take so
            long each at most; one that does not answer fails those behind it at once.
    """

    start: float = 120.0
    call: float = 30.0


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU as NVML sees it.

    Attributes:
        pci: domain, bus and device on the PCI bus.
        uuid: as the driver reports it.
        name: the product's.
        architecture: NVML_DEVICE_ARCH_*; None where the driver does not know.
    """

    pci: tuple[int, int, int]
    uuid: str
    name: str
    architecture: int | None

    @property
    def bus_id(self) -> str:
        """Its place on the PCI bus as NVML writes it."""
        domain, bus, device = self.pci
        return f"{domain:08x}:{bus:02x}:{device:02x}.0"


@dataclass(frozen=True, slots=True)
class System:
    """The driver and its GPUs, in PCI bus order whatever order NVML has."""

    driver: str
    gpus: tuple[Gpu, ...]


@dataclass(frozen=True, slots=True)
class ConfidentialState:
    """How confidential computing (CC) is set up; NVML has one state for all GPUs.

    Attributes:
        known: whether the driver knows of it at all.
        capable: whether the GPUs can do it.
        confidential_cpu: whether the driver sees AMD SEV or Intel TDX here.
        enabled: whether CC mode is on.
        devtools: whether it is on with debugging and profiling.
        protected_pcie: whether the protected PCIe mode (PPCIE) is on.
        ready: whether the GPUs accept work; None where the driver does not say.
    """

    known: bool
    capable: bool = False
    confidential_cpu: bool = False
    enabled: bool = False
    devtools: bool = False
    protected_pcie: bool = False
    ready: bool | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A GPU's evidence as NVML hands it over.

    Attributes:
        uuid: of the GPU, read again.
        report: the SPDM request and response.
        chain: the certificates in PEM, the GPU's own first.
    """

    uuid: str
    report: bytes
    chain: bytes


class Nvml:
    """NVML in this process: loaded when first needed, and then left running.

    Without persistence mode a GPU whose last user goes is put to sleep, and waking it again
    takes seconds, so NVML is not shut down between calls.

    Args:
        limits: how long calls may take.
    """

    def __init__(self, limits: TimeLimits | None = None) -> None:
        self.limits = limits or TimeLimits()
        self._thread = NvmlThread()
        self._library: Any = None

    def system(self) -> System:
        """Lists the GPUs.

        Raises:
            UnsupportedError: there is no driver, no GPU, or no Python package to reach it.
            UnavailableError: the driver did not answer, or did not for one of the GPUs.
        """
        return self._call(_system, "listing the GPUs", self.limits.start)

    def state(self) -> ConfidentialState:
        """Says how confidential computing is set up.

        Raises:
            UnavailableError: the driver did not answer.
        """
        return self._call(_state, "reading the state of confidential computing", self.limits.call)

    def evidence(self, gpu: Gpu, nonce: bytes, doing: str) -> Answer:
        """Has a GPU make a report.

        Args:
            gpu: the GPU.
            nonce: 32 bytes.
            doing: which GPU this is, for messages.

        Raises:
            UnsupportedError: the GPU or its driver has no such thing.
            UnavailableError: it did not answer, or with something else than a report.
        """
        return self._call(
            lambda library: _evidence(library, gpu, nonce, doing), doing, self.limits.call
        )

    def _call(self, function: Callable[[Library], T], doing: str, seconds: float) -> T:
        return self._thread.call(lambda: self._explained(function, doing), doing, seconds)

    def _explained(self, function: Callable[[Library], T], doing: str) -> T:
        library = self._library or _import()
        try:
            if self._library is None:
                library.nvmlInit()
                self._library = library
            return function(library)
        except library.NVMLError as error:
            if error.value == UNINITIALIZED:
                self._library = None
            raise explain(error.value, doing) from error
        except UnicodeDecodeError as error:
            raise UnavailableError(f"{doing}: NVML answered with bytes that are no text") from error


def _import() -> Library:
    try:
        import pynvml
    except ImportError as error:
        raise UnsupportedError(NO_PACKAGE) from error
    lacking = [name for name in _NEEDED if not hasattr(pynvml, name)]
    if lacking:
        raise UnsupportedError(
            f"the Python module pynvml that is installed has no {lacking[0]}: it is too old, or "
            "the package of that name; uninstall it and install wasmtime-attestation[nvidia]"
        )
    return pynvml


def _system(library: Library) -> System:
    driver = _text(library.nvmlSystemGetDriverVersion())
    count = library.nvmlDeviceGetCount()
    if count > MAX_GPUS:
        raise UnavailableError(f"NVML counts {count} GPUs; no machine has more than {MAX_GPUS}")
    gpus = sorted((_gpu(library, number, count) for number in range(count)), key=lambda g: g.pci)
    if len({gpu.uuid for gpu in gpus}) != count or len({gpu.pci for gpu in gpus}) != count:
        raise UnavailableError("NVML lists a GPU twice: two have one UUID, or one place on the bus")
    return System(driver, tuple(gpus))


def _gpu(library: Library, number: int, count: int) -> Gpu:
    """Reads what tells a GPU from others; without all of it no order is certain."""
    try:
        handle = library.nvmlDeviceGetHandleByIndex(number)
        pci = library.nvmlDeviceGetPciInfo(handle)
        return Gpu(
            pci=(pci.domain, pci.bus, pci.device),
            uuid=_text(library.nvmlDeviceGetUUID(handle)),
            name=_text(library.nvmlDeviceGetName(handle)),
            architecture=_architecture(library, handle),
        )
    except library.NVMLError as error:
        doing = f"listing the GPUs, number {number} of NVML's {count}"
        raise explain(error.value, doing) from error


def _architecture(library: Library, handle: object) -> int | None:
    value = _optional(library, lambda: library.nvmlDeviceGetArchitecture(handle))
    return None if value is None or value == _UNKNOWN_ARCHITECTURE else value


def _state(library: Library) -> ConfidentialState:
    try:
        capabilities = library.nvmlSystemGetConfComputeCapabilities()
        state = library.nvmlSystemGetConfComputeState()
    except library.NVMLError as error:
        if error.value not in (NOT_SUPPORTED, FUNCTION_NOT_FOUND):
            raise
        return ConfidentialState(known=error.value == NOT_SUPPORTED)
    ready = _optional(library, library.nvmlSystemGetConfComputeGpusReadyState)
    return ConfidentialState(
        known=True,
        capable=capabilities.gpusCaps == library.NVML_CC_SYSTEM_GPUS_CC_CAPABLE,
        confidential_cpu=capabilities.cpuCaps != library.NVML_CC_SYSTEM_CPU_CAPS_NONE,
        enabled=state.ccFeature == library.NVML_CC_SYSTEM_FEATURE_ENABLED,
        devtools=state.devToolsMode != library.NVML_CC_SYSTEM_DEVTOOLS_MODE_OFF,
        protected_pcie=bool(_optional(library, lambda: _protected_pcie(library))),
        ready=None if ready is None else ready == library.NVML_CC_ACCEPTING_CLIENT_REQUESTS_TRUE,
    )


def _protected_pcie(library: Library) -> bool:
    settings = library.c_nvmlSystemConfComputeSettings_v1_t()
    # The one function of the binding that returns its code instead of raising it.
    code = library.nvmlSystemGetConfComputeSettings(library.byref(settings))
    if code != library.NVML_SUCCESS:
        raise library.NVMLError(code)
    return bool(settings.multiGpuMode == library.NVML_CC_SYSTEM_MULTIGPU_PROTECTED_PCIE)


def _optional(library: Library, read: Callable[[], T]) -> T | None:
    """Reads what older drivers do not have."""
    try:
        return read()
    except library.NVMLError as error:
        if error.value in (NOT_SUPPORTED, FUNCTION_NOT_FOUND, ARGUMENT_VERSION_MISMATCH):
            return None
        raise


def _evidence(library: Library, gpu: Gpu, nonce: bytes, doing: str) -> Answer:
    handle = library.nvmlDeviceGetHandleByPciBusId(gpu.bus_id)
    uuid = _text(library.nvmlDeviceGetUUID(handle))
    certificate = library.nvmlDeviceGetConfComputeGpuCertificate(handle)
    report = library.nvmlDeviceGetConfComputeGpuAttestationReport(handle, nonce)
    return Answer(
        uuid,
        _bytes(report.attestationReport, report.attestationReportSize, f"{doing}: the report"),
        _bytes(
            certificate.attestationCertChain,
            certificate.attestationCertChainSize,
            f"{doing}: the certificate chain",
        ),
    )


def _bytes(field: Iterable[int], size: int, what: str) -> bytes:
    data = bytes(field)
    if not 0 < size <= len(data):
        raise UnavailableError(f"{what} has {size} bytes as NVML says, not 1 to {len(data)}")
    return data[:size]


def _text(value: str) -> str:
    """Makes a driver's text fit for messages and tokens."""
    text = "".join(c if c.isprintable() and c.isascii() else "?" for c in value[:_MAX_TEXT])
    return text or "?"
