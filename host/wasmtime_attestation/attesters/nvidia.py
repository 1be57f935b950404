"""Collects evidence of NVIDIA's GPUs through NVML, and of the switches between them.

The index of a GPU is its place in PCI bus order when the host first looked, and stays that of
the same device: its UUID is read again each time, and its certificate must stay the same.

Sources: NVIDIA, "NVML API Reference Guide"; NVIDIA attestation SDK (order of the calls).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from functools import partial

from wasmtime_attestation.attesters.nvattest import Nvattest
from wasmtime_attestation.attesters.nvidia_answer import (
    check_answer,
    check_nonce_size,
    evidence_of,
    serial_of,
)
from wasmtime_attestation.attesters.nvidia_modes import is_confidential, refusal
from wasmtime_attestation.attesters.nvml import ConfidentialState, Nvml, System
from wasmtime_attestation.attesters.outcomes import collect_each, enumerated, no_such_gpu
from wasmtime_attestation.errors import UnavailableError, UnsupportedError
from wasmtime_attestation.evidence.envelope import Evidence, EvidenceType
from wasmtime_attestation.wit import GpuInfo

log = logging.getLogger(__name__)

NO_GPU = "NVIDIA's driver is here, but sees no GPU; see lspci, and dmesg for one that failed"


class NvidiaAttester:
    """Collects evidence of the GPUs that NVML sees.

    Args:
        nvml: the library.
        switches: collects evidence of switches, where the protected PCIe mode is on.
    """

    def __init__(self, nvml: Nvml | None = None, switches: Nvattest | None = None) -> None:
        self._nvml = nvml or Nvml()
        self._switches = switches or Nvattest()
        self._lock = threading.Lock()
        self._bound: System | None = None
        self._serials: dict[str, int] = {}
        self._warned = False

    def gpus(self) -> tuple[GpuInfo, ...]:
        """Lists the GPUs in PCI bus order; see `DeviceAttester.gpus`."""
        system, state = self._system(), self._nvml.state()
        return tuple(
            GpuInfo(index, gpu.uuid, gpu.name, is_confidential(gpu, state))
            for index, gpu in enumerate(system.gpus)
        )

    def collect(self, index: int, nonce: bytes) -> Evidence:
        """Collects fresh evidence of one GPU; see `DeviceAttester.collect`."""
        check_nonce_size(nonce)
        system = self._system()
        if index >= len(system.gpus):
            raise no_such_gpu(index, len(system.gpus))
        self._check_modes(system, [index])
        return self._collect(system, index, nonce)

    def collect_all(self, nonce: bytes) -> tuple[Evidence, ...]:
        """Collects fresh evidence of every GPU and switch; see `DeviceAttester.collect_all`."""
        check_nonce_size(nonce)
        system = self._system()
        indices = range(len(system.gpus))
        state = self._check_modes(system, indices)
        gpus = collect_each(
            [(f"GPU {index}", partial(self._collect, system, index, nonce)) for index in indices]
        )
        return (*gpus, *self._collect_switches(state, nonce))

    def _system(self) -> System:
        """Returns the GPUs as they were when this first succeeded."""
        with self._lock:
            if self._bound is None:
                system = self._nvml.system()
                if not system.gpus:
                    raise UnsupportedError(NO_GPU)
                self._bound = system
            return self._bound

    def _check_modes(self, system: System, indices: range | list[int]) -> ConfidentialState:
        """Refuses GPUs that have no evidence to give: NVML would only say UNKNOWN."""
        state = self._nvml.state()
        if refused := refusals(system, state, indices):
            raise UnsupportedError(refused)
        if state.ready is False and not self._warned:
            self._warned = True
            log.warning(
                "the GPUs are not ready: evidence can be collected, but they accept no work "
                "until nvidia-smi conf-compute -srs 1"
            )
        return state

    def _collect(self, system: System, index: int, nonce: bytes) -> Evidence:
        gpu = system.gpus[index]
        name = f"GPU {index} ({gpu.name}, driver {system.driver})"
        answer = self._nvml.evidence(gpu, nonce, name)
        if answer.uuid != gpu.uuid:
            raise UnavailableError(
                f"{name}: at {gpu.bus_id} there is now {answer.uuid}, not {gpu.uuid}: the device "
                "was exchanged; start the host again to accept it"
            )
        evidence = evidence_of(answer.report, answer.chain, name)
        check_answer(evidence, nonce, EvidenceType.NVIDIA_GPU, name)
        self._check_serial(gpu.uuid, serial_of(evidence, name), name)
        return evidence

    def _check_serial(self, uuid: str, serial: int, name: str) -> None:
        with self._lock:
            first = self._serials.setdefault(uuid, serial)
        if serial != first:
            raise UnavailableError(
                f"{name}: its certificate has serial number {serial}, and had {first} before: "
                "another device poses as this one; start the host again to accept it"
            )

    def _collect_switches(self, state: ConfidentialState, nonce: bytes) -> tuple[Evidence, ...]:
        if not state.protected_pcie:
            return ()
        return self._switches.collect(EvidenceType.NVIDIA_SWITCH, nonce)


def refusals(system: System, state: ConfidentialState, indices: Iterable[int]) -> str:
    """Says which of some GPUs have no evidence to give, and why; empty where all have."""
    refused: dict[tuple[str, str], list[int]] = {}
    for index in indices:
        gpu = system.gpus[index]
        if (reason := refusal(gpu, state)) is not None:
            refused.setdefault((gpu.name, reason), []).append(index)
    return "; ".join(
        f"{enumerated(which)} ({name}, driver {system.driver})"
        f"{' ' if len(which) == 1 else ': each '}{reason}"
        for (name, reason), which in refused.items()
    )
