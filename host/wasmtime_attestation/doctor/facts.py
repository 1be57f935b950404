"""Everything that the checks look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wasmtime_attestation.attesters.detect import Detection
from wasmtime_attestation.attesters.detect.files import Files
from wasmtime_attestation.attesters.nvml import ConfidentialState, System
from wasmtime_attestation.errors import AttestationError


@dataclass(frozen=True, slots=True)
class Answered:
    """A service that answered.

    Attributes:
        url: that was asked.
        status: of the answer; any will do.
        seconds: how long it took.
        ahead: how many seconds its clock is ahead of ours; None where it told no time.
    """

    url: str
    status: int
    seconds: float
    ahead: float | None


@dataclass(frozen=True, slots=True)
class Gpus:
    """The GPUs as NVML sees them, and how confidential computing is set up."""

    system: System
    state: ConfidentialState


@dataclass(frozen=True, slots=True)
class Facts:
    """What was gathered; what could not be is the error that says why.

    Attributes:
        files: the file system.
        detection: what this machine is, its devices asked.
        gpus: its GPUs.
        offline: whether the network was left alone.
        services: the vendors' services that were asked, by the names of `ServiceUrls`.
        metadata_service: Azure's; None elsewhere.
        synchronised: whether the kernel's clock follows another; None where it does not say.
    """

    files: Files
    detection: Detection
    gpus: Gpus | AttestationError
    offline: bool
    services: Mapping[str, Answered | AttestationError]
    metadata_service: Answered | AttestationError | None
    synchronised: bool | None
