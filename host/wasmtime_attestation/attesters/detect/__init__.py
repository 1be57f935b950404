"""Finds the trusted execution environment of this machine, and says what it looked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from wasmtime_attestation.attesters.detect import obstacles
from wasmtime_attestation.attesters.detect.files import Files, Outcome
from wasmtime_attestation.attesters.detect.processor import Processor
from wasmtime_attestation.attesters.detect.signs import Ask, Inspection, Probe
from wasmtime_attestation.attesters.detect.surroundings import Surroundings
from wasmtime_attestation.errors import AttestationError, UnavailableError, UnsupportedError
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
class Detection:
    """What was found, and everything that was looked for.

    Attributes:
        tee_type: the environment; none where there is none.
        providers: how its evidence is reached, best first; none where it cannot be.
        probes: what was looked at, most telling first.
        obstacle: what stands in the way of evidence and what to do; empty where nothing does.
        is_denied: whether it is a permission or a device that did not answer, and not the machine.
        surroundings: whose cloud it is, the kernel, the container.
        processor: what the processor says.
    """

    tee_type: TeeType
    providers: tuple[str, ...] = ()
    probes: tuple[Probe, ...] = ()
    obstacle: str = ""
    is_denied: bool = False
    surroundings: Surroundings = field(default_factory=Surroundings)
    processor: Processor = field(default_factory=Processor)

    @property
    def info(self) -> TeeInfo:
        """The same as guests see it, without GPUs."""
        return TeeInfo(
            self.tee_type,
            supports_attestation=bool(self.providers),
            provider=next(iter(self.providers), ""),
            gpu_count=0,
        )

    @property
    def refusal(self) -> AttestationError:
        """Why there is no evidence, for a machine that has no provider."""
        kind = UnavailableError if self.is_denied else UnsupportedError
        text = {TeeType.NONE: NO_TEE, TeeType.AMD_SEV: SEV_ONLY}.get(self.tee_type, "")
        found = text or f"{self.tee_type} is here, but evidence cannot be collected."
        return kind(f"{found} {self.obstacle}" if self.obstacle else found)


def detect(root: Path = Path("/"), ask: Ask | None = None) -> Detection:
    """Looks at every sign and decides.

    Args:
        root: where the file system begins.
        ask: asks a device through the attester of a provider; None to look at files alone, so
            that nothing is opened, and a device counts only if its name says what it is.
    """
    inspection = Inspection(Files(root), ask)
    probes = tuple(inspection.probes())
    kind, providers = _decide(probes)
    obstacle = obstacles.Obstacle("", is_denied=False)
    if not providers:
        obstacle = obstacles.find(kind, probes, inspection)
    return Detection(
        kind,
        providers,
        probes,
        obstacle.text,
        obstacle.is_denied,
        inspection.surroundings,
        inspection.processor,
    )


def _decide(probes: tuple[Probe, ...]) -> tuple[TeeType, tuple[str, ...]]:
    """The first that can be used decides; else the most telling that is there at all."""
    telling = [probe for probe in probes if probe.tee_type is not TeeType.NONE]
    usable = [
        probe
        for probe in telling
        if probe.outcome is Outcome.FOUND and probe.sign.provider and _is_known(probe)
    ]
    if usable:
        kind = usable[0].tee_type
        return kind, tuple(probe.sign.provider for probe in usable if probe.tee_type is kind)
    # What the hardware enforces is more than what a firmware's folder is called.
    strong = [probe for probe in telling if probe.tee_type is not TeeType.AMD_SEV]
    return ((strong or telling)[0].tee_type if telling else TeeType.NONE), ()


def _is_known(probe: Probe) -> bool:
    """A report interface may belong to an architecture whose evidence nobody here verifies."""
    return probe.tee_type in (TeeType.AMD_SEV_SNP, TeeType.INTEL_TDX)
