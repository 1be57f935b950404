"""Finds the trusted execution environment of this machine, and says what it looked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from wasmtime_attestation.errors import UnsupportedError
from wasmtime_attestation.evidence.envelope import Evidence
from wasmtime_attestation.wit import TeeInfo, TeeType

# Texts that guests in the field print or compare.
NO_TEE = (
    "No TEE attestation available. Not running in a Confidential VM (Intel TDX or AMD SEV-SNP)?"
)
SEV_ONLY = (
    "AMD SEV detected (memory encrypted) but SEV-SNP not available for attestation. "
    "This VM may not be a full Confidential VM with attestation support."
)


@dataclass(frozen=True, slots=True)
class Source:
    """One sign of a trusted execution environment.

    Attributes:
        path: what to look for.
        tee_type: what it means if it is there.
        provider: how evidence would be reached; empty where there is no way.
    """

    path: str
    tee_type: TeeType
    provider: str


# Most telling first: a guest device proves more than encrypted memory.
SOURCES = (
    Source("/dev/sev-guest", TeeType.AMD_SEV_SNP, "sev-guest"),
    Source("/dev/tdx_guest", TeeType.INTEL_TDX, "tdx-guest"),
    Source("/dev/tdx-guest", TeeType.INTEL_TDX, "tdx-guest"),
    Source("/sys/firmware/sev", TeeType.AMD_SEV, ""),
)


@dataclass(frozen=True, slots=True)
class Probe:
    """A place that was looked at."""

    source: Source
    found: bool


@dataclass(frozen=True, slots=True)
class Detection:
    """What was found, and everything that was looked for."""

    tee_type: TeeType
    provider: str
    probes: tuple[Probe, ...]


def detect(root: Path = Path("/")) -> Detection:
    """Looks for each source.

    Args:
        root: where the file system begins.
    """
    probes = tuple(Probe(source, _exists(root, source)) for source in SOURCES)
    for probe in probes:
        if probe.found:
            return Detection(probe.source.tee_type, probe.source.provider, probes)
    return Detection(TeeType.NONE, "", probes)


def _exists(root: Path, source: Source) -> bool:
    try:
        return (root / source.path.lstrip("/")).exists()
    except OSError:  # a folder on the way that we may not enter
        return False


class DetectedAttester:
    """The attester of this machine: it names what is there.

    This release collects from the simulated TEE alone, so a real one is
    detected and named, and collecting from it is refused with the reason.
    """

    def __init__(self, detection: Detection) -> None:
        self.detection = detection

    def info(self) -> TeeInfo:
        """Says what was found."""
        return TeeInfo(
            self.detection.tee_type,
            supports_attestation=False,
            provider=self.detection.provider,
            gpu_count=0,
        )

    def collect(self, report_data: bytes) -> Evidence:
        """Refuses, with the reason.

        Raises:
            UnsupportedError: always.
        """
        del report_data
        if self.detection.tee_type is TeeType.NONE:
            raise UnsupportedError(NO_TEE)
        if self.detection.tee_type is TeeType.AMD_SEV:
            raise UnsupportedError(SEV_ONLY)
        raise UnsupportedError(
            f"{self.detection.tee_type} is here ({self.detection.provider}), but this release "
            "collects no evidence from it yet; try --tee simulated to develop without it"
        )
