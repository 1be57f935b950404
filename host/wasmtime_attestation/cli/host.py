"""Starts the host for `attest` and `run`: which TEE, what is trusted, what is said about it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from wasmtime_attestation.attesters.completed import Addition, CompletedMachine
from wasmtime_attestation.attesters.detect import Detection
from wasmtime_attestation.attesters.machine import Machine
from wasmtime_attestation.attesters.nvidia_devices import NvidiaDevices
from wasmtime_attestation.attesters.select import DetectedAttester, attester_of
from wasmtime_attestation.cli import configured
from wasmtime_attestation.cli.options import REPLAY, write_file
from wasmtime_attestation.cli.terminal import say
from wasmtime_attestation.config import Configuration
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.errors import InvalidArgumentError
from wasmtime_attestation.policy import AppraisalPolicy
from wasmtime_attestation.service import AttestationService, Settings
from wasmtime_attestation.wit import TeeType

SIMULATED = (
    "SIMULATED TEE: tokens of this host prove nothing about hardware; "
    "only who trusts its root (--trust-out) can verify them"
)
REPLAYED = (
    "REPLAYED evidence: tokens of this host are about a recording and prove nothing about this "
    "machine; nobody else can verify them"
)


@dataclass(frozen=True, slots=True)
class HostOptions:
    """What the user chose.

    Attributes:
        tee: a word of `options.TEES`, or `replay:FILE`.
        trust_out: where to write the simulated root, if anywhere.
        endorsement_paths: files and folders of endorsements for `verify-token` and `verify`.
        gpus: how many GPUs the machine must have; None where any number will do.
        additions: what evidence gets besides.
        configuration: which tokens guests get, and what is accepted.
        policies: policies that the host holds besides its own, by name.
    """

    tee: str
    trust_out: Path | None = None
    endorsement_paths: tuple[Path, ...] = ()
    gpus: int | None = None
    additions: Sequence[Addition] = ()
    policies: Mapping[str, AppraisalPolicy] = field(default_factory=dict)
    configuration: Configuration = field(default_factory=Configuration)

    @classmethod
    def of(
        cls,
        configuration: Configuration,
        trust_out: Path | None = None,
        additions: Sequence[Addition] = (),
        policies: Mapping[str, AppraisalPolicy] | None = None,
    ) -> HostOptions:
        """Returns what a configuration says."""
        chosen = configuration.host
        return cls(
            chosen.tee,
            trust_out,
            chosen.endorsements,
            chosen.gpus,
            additions,
            policies or {},
            configuration,
        )


@dataclass(frozen=True, slots=True)
class Host:
    """A host that was started.

    Attributes:
        service: serves guests.
        simulated_root: SHA-256 of the root of a simulation; None of everything else.
        replays: whether it replays a recording.
    """

    service: AttestationService
    simulated_root: bytes | None = None
    replays: bool = False


def start(options: HostOptions) -> Host:
    """Starts a host.

    Raises:
        InvalidArgumentError: there is no simulated root to write, or no place to write it; the
            endorsements cannot be read; the recording is none.
    """
    if options.trust_out is not None and options.tee != "simulated":
        raise InvalidArgumentError("--trust-out writes a simulated root: use --tee simulated")
    if options.tee == "simulated":
        return _simulated(options)
    if options.tee.startswith(REPLAY):
        return _replay(options)
    settings = Settings(Anchors.of_vendors(), endorsements=_endorsements(options))
    return Host(_service(_machine(options), settings, options))


def _machine(options: HostOptions) -> Machine:
    """Returns the machine, which is looked at when the guest first asks."""
    if options.tee == "none":
        return Machine(DetectedAttester(lambda: Detection(TeeType.NONE)))
    vm = DetectedAttester() if options.tee == "auto" else attester_of(options.tee)
    return Machine(vm, NvidiaDevices(), options.gpus)


def _simulated(options: HostOptions) -> Host:
    from wasmtime_attestation.attesters.simulation import simulate  # a CA, for development

    simulation = simulate(int(time.time()), options.gpus)
    say(SIMULATED)
    if options.trust_out is not None:
        write_file(options.trust_out, simulation.roots_pem)
    settings = Settings(simulation.anchors, endorsements=_endorsements(options))
    return Host(_service(simulation.machine, settings, options), simulated_root=simulation.root)


def _replay(options: HostOptions) -> Host:
    """A recording of a simulation trusts the root of that simulation and no other."""
    from wasmtime_attestation.attesters import recording_file, replay  # most hosts replay nothing

    recorded = recording_file.read(Path(options.tee.removeprefix(REPLAY)))
    say(REPLAYED)
    anchors = Anchors.of_vendors()
    if recorded.simulated_root is not None:
        say(SIMULATED)
        anchors = Anchors(()).trusting([recorded.simulated_root])
    settings = Settings(
        anchors,
        endorsements=_endorsements(options) + recorded.decoded_endorsements(),
        recorded=recorded.recorded,
    )
    machine = replay.machine(recorded, options.gpus)
    return Host(_service(machine, settings, options), recorded.simulated_root, replays=True)


def _service(machine: Machine, settings: Settings, options: HostOptions) -> AttestationService:
    if options.policies:
        settings = replace(settings, policies={**settings.policies, **options.policies})
    if options.additions:
        machine = CompletedMachine(machine, options.additions)
    chosen = configured.settings(options.configuration, settings)
    return configured.service(machine, chosen, options.configuration, time.time)


def _endorsements(options: HostOptions) -> Endorsements:
    if not options.endorsement_paths:
        return Endorsements()
    from wasmtime_attestation.cli import given  # most hosts need none

    return given.endorsements(options.endorsement_paths)
