"""A machine: one virtual machine and its devices, under one challenge."""

from __future__ import annotations

from dataclasses import replace

from wasmtime_attestation import wit
from wasmtime_attestation.attesters import Attester, DeviceAttester
from wasmtime_attestation.errors import AttestationError, UnsupportedError
from wasmtime_attestation.evidence.envelope import Evidence, EvidenceType
from wasmtime_attestation.verifier.binding import nonce_of
from wasmtime_attestation.wit import GpuInfo, TeeInfo

NO_GPU = "this host sees no GPU; attest the virtual machine instead"


class NoDevices:
    """The devices of a machine that has none."""

    def gpus(self) -> tuple[GpuInfo, ...]:
        """Raises `UnsupportedError`."""
        raise UnsupportedError(NO_GPU)

    def collect(self, index: int, nonce: bytes) -> Evidence:
        """Raises `UnsupportedError`."""
        del nonce
        raise UnsupportedError(f"GPU {index}: {NO_GPU}")

    def collect_all(self, nonce: bytes) -> tuple[Evidence, ...]:
        """Raises `UnsupportedError`."""
        del nonce
        raise UnsupportedError(NO_GPU)


class Machine:
    """What can be attested here.

    Args:
        vm: collects evidence about the virtual machine.
        devices: collects evidence about GPUs and switches; without them the machine has none.
    """

    def __init__(self, vm: Attester, devices: DeviceAttester | None = None) -> None:
        self.vm = vm
        self.devices = devices or NoDevices()
        self._info: TeeInfo | None = None

    def info(self) -> TeeInfo:
        """Says what was found, devices counted; always the same object, which is fast to return."""
        if self._info is None:
            self._info = replace(self.vm.info(), gpu_count=self._count())
        return self._info

    def collect(self, target: wit.Target, bound: bytes) -> tuple[Evidence, ...]:
        """Collects fresh evidence about a target; the virtual machine comes first.

        Args:
            target: the machine, one GPU, or everything.
            bound: D, the 64 bytes that the evidence is bound to.

        Raises:
            UnsupportedError: there is no such target.
            UnavailableError: a device did not answer.
        """
        nonce = nonce_of(EvidenceType.NVIDIA_GPU, bound) or b""
        match target:
            case wit.TargetVm():
                return (self.vm.collect(bound),)
            case wit.TargetGpu(index):
                return (self.devices.collect(index, nonce),)
            case wit.TargetAll():
                return (self.vm.collect(bound), *self.devices.collect_all(nonce))

    def _count(self) -> int:
        try:
            return len(self.devices.gpus())
        except AttestationError:
            return 0
