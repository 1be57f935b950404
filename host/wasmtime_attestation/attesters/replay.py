"""Replays a recording: the machine that it is of, as it was, without the machine.

What it hands out is true evidence, and bound to nothing that it is asked for: tokens that carry
it have a profile of their own (`verifier/replayed.py`).
"""

from __future__ import annotations

from dataclasses import replace

from wasmtime_attestation.attesters.machine import Machine
from wasmtime_attestation.attesters.recording import Recording
from wasmtime_attestation.errors import UnsupportedError
from wasmtime_attestation.evidence.envelope import Evidence, EvidenceType
from wasmtime_attestation.wit import GpuInfo, TeeInfo, TeeType

PROVIDER = "replay"
_DEVICES = (EvidenceType.NVIDIA_GPU, EvidenceType.NVIDIA_SWITCH)


class ReplayedVm:
    """The virtual machine of a recording.

    Args:
        recording: that has evidence of it, or of devices alone.
    """

    def __init__(self, recording: Recording) -> None:
        self._recording = recording

    def info(self) -> TeeInfo:
        """Says what the machine was; a simulation is one, whatever its recording says."""
        info = replace(self._recording.info, provider=PROVIDER)
        if self._recording.simulated_root is None:
            return info
        return replace(info, tee_type=TeeType.SIMULATED)

    def collect(self, report_data: bytes) -> Evidence:
        """Returns what was recorded, whatever it is asked to carry."""
        del report_data
        first = self._recording.recorded.evidence[0]
        if first.type in _DEVICES:
            raise UnsupportedError(
                "the recording has no evidence of the virtual machine; record with attest all"
            )
        return first


class ReplayedDevices:
    """The GPUs and switches of a recording.

    Args:
        recording: that has evidence of some, or of none.
    """

    def __init__(self, recording: Recording) -> None:
        self._recording = recording

    def gpus(self) -> tuple[GpuInfo, ...]:
        """Lists the GPUs that the machine had."""
        if not self._recording.gpus:
            raise UnsupportedError("the machine in the recording had no GPU")
        return self._recording.gpus

    def collect(self, index: int, nonce: bytes) -> Evidence:
        """Returns what was recorded of one GPU."""
        del nonce
        place = index - self._recording.first_gpu
        pieces = self._recording.of_gpus
        if not 0 <= place < len(pieces):
            raise UnsupportedError(
                f"GPU {index}: the recording has no evidence of it; record with attest all"
            )
        return pieces[place]

    def collect_all(self, nonce: bytes) -> tuple[Evidence, ...]:
        """Returns what was recorded of every device."""
        del nonce
        found = tuple(e for e in self._recording.recorded.evidence if e.type in _DEVICES)
        if len(self._recording.of_gpus) != len(self._recording.gpus) or not found:
            raise UnsupportedError(
                "the recording has evidence of some GPUs or none; record with attest all"
            )
        return found


def machine(recording: Recording, expected_gpus: int | None = None) -> Machine:
    """Returns the machine that a recording is of."""
    return Machine(ReplayedVm(recording), ReplayedDevices(recording), expected_gpus)
