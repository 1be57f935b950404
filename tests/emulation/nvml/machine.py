"""A machine with GPUs as NVML shows them: any number, in any order, in any mode, with any fault.

The GPUs are those of the miniature NVIDIA, which sign each report when it is asked for.

Source: NVIDIA, "NVML API Reference Guide" (structures and constants).
"""

from __future__ import annotations

import os
import socketserver
import struct
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from wasmtime_attestation.endorsements.x509 import pem

from tests.emulation.nvml import library
from tests.fakes.nvidia import DRIVER_VERSION, HOPPER, Device

SOCKET = "FAKE_NVML_SOCKET"
INVALID_ARGUMENT, NOT_FOUND = 2, 6
SEV_SNP = 3
HOPPER_ARCHITECTURE = 9
SCRAMBLED = (5, 2, 7, 0, 3, 6, 1, 4)
"""Slots of eight GPUs in an order that is not that of the bus."""
_REQUEST = struct.Struct("<64sII")


@dataclass
class Gpu:
    """One GPU; what is different from the default is an argument.

    Attributes:
        device: who signs.
        pci: domain, bus and device.
        uuid: as the driver says it.
        name: the product's.
        architecture: NVML_DEVICE_ARCH_*.
        errors: return codes by function.
        report: makes a report of a nonce; None for the device's own.
        chain: the certificates in PEM; None for the device's own.
        report_size: how large the library says that the report is; None for what it is.
    """

    device: Device = HOPPER
    pci: tuple[int, int, int] = (0, 0x3B, 0)
    uuid: str = "GPU-00000000-0000-0000-0000-000000000000"
    name: str = "NVIDIA H100 80GB HBM3"
    architecture: int = HOPPER_ARCHITECTURE
    errors: dict[str, int] = field(default_factory=dict)
    report: Callable[[bytes], bytes] | None = None
    chain: bytes | None = None
    report_size: int | None = None

    @property
    def bus_id(self) -> str:
        """Its place on the bus, as nvidia-smi prints it."""
        domain, bus, device = self.pci
        return f"{domain:08X}:{bus:02X}:{device:02X}.0"


def board(number: int, **changes: object) -> Gpu:
    """Returns the GPU of a slot: the higher the number, the farther on the bus."""
    gpu = Gpu(
        device=Device(unit=f"-{number}"),
        pci=(0, 0x10 + number, 0),
        uuid=f"GPU-0000000{number}-aaaa-bbbb-cccc-dddddddddddd",
    )
    for name, value in changes.items():
        setattr(gpu, name, value)
    return gpu


@dataclass
class NvmlMachine:
    """The machine, which answers while its context is entered.

    Attributes:
        gpus: in NVML's order.
        driver: its version.
        cpu, capable, enabled, devtools, multi_gpu, ready: as NVML has them.
        errors: return codes by function, whatever GPU it is about.
        hangs: functions that do not answer.
        calls: the functions that were called, in order.
        at_once: how many calls there were at once, at most.
    """

    gpus: list[Gpu] = field(default_factory=lambda: [Gpu()])
    driver: str = DRIVER_VERSION
    cpu: int = SEV_SNP
    capable: int = 1
    enabled: int = 1
    devtools: int = 0
    multi_gpu: int = 0
    ready: int = 1
    errors: dict[str, int] = field(default_factory=dict)
    hangs: set[str] = field(default_factory=set)
    calls: list[str] = field(default_factory=list)
    at_once: int = 0

    def __post_init__(self) -> None:
        """Nobody calls yet."""
        self._over = threading.Event()
        self._active = 0
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        """Starts to answer, and points this process's library here."""
        library.load()
        self._stack = ExitStack()
        folder = self._stack.enter_context(tempfile.TemporaryDirectory())
        self._socket = Path(folder) / "nvml"
        self._stack.enter_context(self.listening(self._socket))
        self._former = os.environ.get(SOCKET)
        os.environ[SOCKET] = str(self._socket)
        return self

    def __exit__(self, *exception: object) -> None:
        """Stops; calls that hang fail."""
        os.environ.pop(SOCKET)
        if self._former is not None:
            os.environ[SOCKET] = self._former
        self._stack.close()

    @contextmanager
    def listening(self, socket: Path) -> Iterator[None]:
        """Answers while the context is entered."""
        server = _Server(str(socket), _Handler)
        server.machine = self
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield
        finally:
            self._over.set()
            server.shutdown()
            server.server_close()

    def environment(self) -> Mapping[str, str]:
        """Returns the environment of a process on this machine."""
        return {**os.environ, "LD_LIBRARY_PATH": str(library.folder()), SOCKET: str(self._socket)}

    def answer(self, name: str, number: int, data: bytes) -> tuple[int, bytes]:
        """Answers a call, or does not."""
        with self._lock:
            self.calls.append(name)
            self._active += 1
            self.at_once = max(self.at_once, self._active)
        try:
            if name in self.hangs:
                self._over.wait()
            return self._answer(name, number, data)
        finally:
            with self._lock:
                self._active -= 1

    def _answer(self, name: str, number: int, data: bytes) -> tuple[int, bytes]:
        if name.startswith("nvmlDeviceGetHandleByPciBusId"):
            wanted = data.rstrip(b"\0").decode().upper()
            found = [n for n, gpu in enumerate(self.gpus) if gpu.bus_id == wanted]
            return (0, struct.pack("<I", found[0])) if found else (NOT_FOUND, b"")
        code = self.errors.get(name, 0)
        is_of_gpu = name.startswith("nvmlDeviceGet") and name != "nvmlDeviceGetCount_v2"
        if is_of_gpu:
            if number >= len(self.gpus):
                return INVALID_ARGUMENT, b""
            code = self.gpus[number].errors.get(name, code)
        if code:
            return code, b""
        return 0, _of_gpu(name, self.gpus[number], data) if is_of_gpu else self._of_system(name)

    def _of_system(self, name: str) -> bytes:
        match name.removeprefix("nvmlSystemGet"):
            case "DriverVersion":
                return self.driver.encode() + b"\0"
            case "ConfComputeCapabilities":
                return struct.pack("<2I", self.cpu, self.capable)
            case "ConfComputeState":
                return struct.pack("<3I", 2, self.enabled, self.devtools)
            case "ConfComputeSettings":
                version = 20 | 1 << 24
                return struct.pack("<5I", version, 2, self.enabled, self.devtools, self.multi_gpu)
            case "ConfComputeGpusReadyState":
                return struct.pack("<I", self.ready)
            case "nvmlDeviceGetCount_v2":
                return struct.pack("<I", len(self.gpus))
            case _:  # nvmlInitWithFlags, nvmlShutdown
                return b""


def eight(**settings: object) -> NvmlMachine:
    """Returns a machine with eight GPUs, which NVML has in an order of its own."""
    return machine_of([board(slot) for slot in SCRAMBLED], **settings)


def machine_of(gpus: list[Gpu], **settings: object) -> NvmlMachine:
    """Returns a machine whose attributes are different from the default."""
    machine = NvmlMachine(gpus)
    for name, value in settings.items():
        setattr(machine, name, value)
    return machine


def _of_gpu(name: str, gpu: Gpu, data: bytes) -> bytes:
    match name.removeprefix("nvmlDeviceGet"):
        case "UUID":
            return gpu.uuid.encode() + b"\0"
        case "Name":
            return gpu.name.encode(errors="surrogateescape") + b"\0"
        case "Architecture":
            return struct.pack("<I", gpu.architecture)
        case "PciInfo_v3":
            return struct.pack(
                "<16s5I32s", gpu.bus_id.encode(), *gpu.pci, 0x233010DE, 0, gpu.bus_id.encode()
            )
        case "ConfComputeGpuCertificate":
            chain = gpu.chain
            if chain is None:
                chain = b"".join(map(pem, gpu.device.chain()))
            return struct.pack("<2I4096s5120s", 0, len(chain), b"", chain)
        case "ConfComputeGpuAttestationReport":
            nonce = data[12:44]
            report = gpu.report(nonce) if gpu.report else gpu.device.report(nonce=nonce)
            size = len(report) if gpu.report_size is None else gpu.report_size
            return struct.pack("<3I32s8192s4096s", 0, size, 0, nonce, report, b"")
        case _:  # a handle
            return b""


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    machine: NvmlMachine


class _Handler(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        name, number, size = _REQUEST.unpack(self.rfile.read(_REQUEST.size))
        data = self.rfile.read(size)
        code, answer = self.server.machine.answer(name.rstrip(b"\0").decode(), number, data)
        self.wfile.write(struct.pack("<iI", code, len(answer)) + answer)
