"""Where a host's evidence comes from, before anything is looked at or opened."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from wasmtime_attestation.config.host_settings import REPLAY, Settings

if TYPE_CHECKING:
    from wasmtime_attestation.attesters.machine import Machine
    from wasmtime_attestation.attesters.recording import Recording

SIMULATED = "simulated"


def machine_of(settings: Settings) -> Machine | None:
    """Returns the machine, which is looked at when somebody first asks.

    None where evidence is simulated or replayed.
    """
    if settings.tee == SIMULATED or settings.tee.startswith(REPLAY):
        return None
    # Many guests ask nothing of the machine.
    from wasmtime_attestation.attesters.detect import Detection
    from wasmtime_attestation.attesters.machine import Machine
    from wasmtime_attestation.attesters.nvidia_devices import NvidiaDevices
    from wasmtime_attestation.attesters.select import DetectedAttester, attester_of
    from wasmtime_attestation.wit import TeeType

    if settings.tee == "none":
        return Machine(DetectedAttester(lambda: Detection(TeeType.NONE)))
    vm = DetectedAttester() if settings.tee == "auto" else attester_of(settings.tee)
    return Machine(vm, NvidiaDevices(), settings.gpus)


def recording_of(settings: Settings) -> Recording | None:
    """Reads the recording that is replayed; None where none is.

    Raises:
        InvalidArgumentError: it cannot be read, or is none.
    """
    if not settings.tee.startswith(REPLAY):
        return None
    from wasmtime_attestation.attesters import recording_file  # most hosts replay nothing

    return recording_file.read(Path(settings.tee.removeprefix(REPLAY)))
