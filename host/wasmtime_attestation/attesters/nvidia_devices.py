"""The devices of this machine: by NVML, or by nvattest where only that is there."""

from __future__ import annotations

import importlib.util
import threading

from wasmtime_attestation.attesters import DeviceAttester
from wasmtime_attestation.evidence.envelope import Evidence
from wasmtime_attestation.wit import GpuInfo


class NvidiaDevices:
    """NVIDIA's GPUs and switches, however they are reached; nothing is loaded before it is asked.

    NVML is preferred: it tells UUIDs, and why there is no evidence.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._attester: DeviceAttester | None = None

    def gpus(self) -> tuple[GpuInfo, ...]:
        """Lists the GPUs; see `DeviceAttester.gpus`."""
        return self._chosen().gpus()

    def collect(self, index: int, nonce: bytes) -> Evidence:
        """Collects fresh evidence of one GPU; see `DeviceAttester.collect`."""
        return self._chosen().collect(index, nonce)

    def collect_all(self, nonce: bytes) -> tuple[Evidence, ...]:
        """Collects fresh evidence of everything; see `DeviceAttester.collect_all`."""
        return self._chosen().collect_all(nonce)

    def _chosen(self) -> DeviceAttester:
        with self._lock:
            if self._attester is None:
                self._attester = _choose()
            return self._attester


def _choose() -> DeviceAttester:
    import shutil  # most guests ask for no GPU

    if importlib.util.find_spec("pynvml") is None and shutil.which("nvattest") is not None:
        from wasmtime_attestation.attesters.nvattest_gpus import NvattestAttester

        return NvattestAttester()
    from wasmtime_attestation.attesters.nvidia import NvidiaAttester

    return NvidiaAttester()
