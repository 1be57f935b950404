"""A machine: one virtual machine and its devices, under one challenge."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace

from wasmtime_attestation import wit
from wasmtime_attestation.attesters import Attester, DeviceAttester
from wasmtime_attestation.attesters.outcomes import collect_parts, no_such_gpu
from wasmtime_attestation.errors import UnavailableError, UnsupportedError
from wasmtime_attestation.evidence.envelope import Evidence, EvidenceType
from wasmtime_attestation.wit import GpuInfo, TeeInfo

log = logging.getLogger(__name__)

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
        expected_gpus: how many GPUs there must be before a GPU or everything is attested; None
            for as many as there are.
    """

    def __init__(
        self,
        vm: Attester,
        devices: DeviceAttester | None = None,
        expected_gpus: int | None = None,
    ) -> None:
        self.vm = vm
        self.devices = devices or NoDevices()
        self.expected_gpus = expected_gpus
        self._info: TeeInfo | None = None
        self._lock = threading.Lock()

    def info(self) -> TeeInfo:
        """Says what was found, devices counted; always the same object, which is fast to return.

        A driver that does not answer counts as no GPU, until it does.
        """
        if self._info is not None:
            return self._info
        with self._lock:
            if self._info is None:
                count, certain = self._count()
                info = replace(self.vm.info(), gpu_count=count)
                if not certain:
                    return info
                self._info = info
            return self._info

    def gpus(self) -> tuple[GpuInfo, ...]:
        """Lists the GPUs; see `DeviceAttester.gpus`."""
        return self.devices.gpus()

    def gpu(self, index: int) -> GpuInfo:
        """Returns one GPU.

        Raises:
            UnsupportedError: there is none with this index.
            UnavailableError: the driver did not answer, or there are not as many as expected.
        """
        gpus = self._expected()
        if index >= len(gpus):
            raise no_such_gpu(index, len(gpus))
        return gpus[index]

    def collect(self, target: wit.Target, bound: bytes) -> tuple[Evidence, ...]:
        """Collects fresh evidence about a target; the virtual machine comes first.

        Args:
            target: the machine, one GPU, or everything.
            bound: D, the 64 bytes that the evidence is bound to.

        Raises:
            InvalidArgumentError: those are not 64 bytes.
            UnsupportedError: there is no such target.
            UnavailableError: a device did not answer, or there are not as many as expected.
        """
        # Who asks what a machine is asks for no evidence yet.
        from wasmtime_attestation.attesters.report_data import check_size
        from wasmtime_attestation.verifier.binding import nonce_of

        check_size(bound)
        nonce = nonce_of(EvidenceType.NVIDIA_GPU, bound) or b""
        match target:
            case wit.TargetVm():
                return (self.vm.collect(bound),)
            case wit.TargetGpu(index):
                self._expected()
                return (self.devices.collect(index, nonce),)
            case wit.TargetAll():
                return self._collect_all(bound, nonce)

    def _collect_all(self, bound: bytes, nonce: bytes) -> tuple[Evidence, ...]:
        """Asks for everything also when a part fails, so that one error says all that is wrong."""
        if self.expected_gpus == 0 and not self._expected():
            return (self.vm.collect(bound),)
        parts = (
            ("the virtual machine", lambda: (self.vm.collect(bound),)),
            ("the GPUs", lambda: self._collect_devices(nonce)),
        )
        return collect_parts(parts)

    def _collect_devices(self, nonce: bytes) -> tuple[Evidence, ...]:
        self._expected()
        return self.devices.collect_all(nonce)

    def _expected(self) -> tuple[GpuInfo, ...]:
        """Lists the GPUs: where one is missing, the others may be at other indices."""
        if self.expected_gpus is None:
            return self.devices.gpus()
        try:
            gpus = self.devices.gpus()
        except UnsupportedError:
            if self.expected_gpus:
                raise
            gpus = ()
        if len(gpus) != self.expected_gpus:
            raise UnavailableError(
                f"this machine has {len(gpus)} GPUs, and {self.expected_gpus} are expected: one "
                "is missing, failed or was added; see nvidia-smi -L and dmesg, or correct the "
                "expected number"
            )
        return gpus

    def _count(self) -> tuple[int, bool]:
        """Returns how many GPUs there are, and whether that is certain."""
        try:
            return len(self.devices.gpus()), True
        except UnsupportedError as error:
            log.info("no GPU: %s", error)
            return 0, True
        except UnavailableError as error:
            log.warning("GPUs cannot be counted: %s", error)
            return 0, False
