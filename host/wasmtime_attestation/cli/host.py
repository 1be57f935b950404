"""Starts the host for `attest` and `run`: which TEE, what is trusted, what is said about it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import click

from wasmtime_attestation.attesters.detect import Detection
from wasmtime_attestation.attesters.machine import Machine
from wasmtime_attestation.attesters.nvidia_devices import NvidiaDevices
from wasmtime_attestation.attesters.select import DetectedAttester, attester_of
from wasmtime_attestation.attesters.simulated import SimulatedAttester
from wasmtime_attestation.cli.options import REPLAY, write_file
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.errors import InvalidArgumentError
from wasmtime_attestation.service import AttestationService, Settings
from wasmtime_attestation.wit import TeeType

SIMULATED = (
    "SIMULATED TEE: tokens of this host prove nothing about hardware; "
    "only who trusts its root (--trust-out) can verify them"
)


@dataclass(frozen=True, slots=True)
class HostOptions:
    """What the user chose.

    Attributes:
        tee: a word of `options.TEES`, or `replay:FILE`.
        trust_out: where to write the simulated root, if anywhere.
        endorsement_paths: files and folders of endorsements for `verify-token` and `verify`.
        gpus: how many GPUs the machine must have; None where any number will do.
    """

    tee: str
    trust_out: Path | None = None
    endorsement_paths: tuple[Path, ...] = ()
    gpus: int | None = None


def start(options: HostOptions) -> AttestationService:
    """Starts a host.

    Raises:
        InvalidArgumentError: there is no simulated root to write, or no place to write it; the
            endorsements cannot be read; the recording is none.
    """
    if options.trust_out is not None and options.tee != "simulated":
        raise InvalidArgumentError("--trust-out writes a simulated root: use --tee simulated")
    if options.tee == "simulated":
        return _simulated(options)
    settings = Settings(Anchors.of_vendors(), endorsements=_endorsements(options))
    return AttestationService(_machine(options), settings, time.time)


def _machine(options: HostOptions) -> Machine:
    """Returns the machine, which is looked at when the guest first asks."""
    if options.tee == "none":
        return Machine(DetectedAttester(lambda: Detection(TeeType.NONE)))
    vm = DetectedAttester() if options.tee == "auto" else attester_of(options.tee)
    return Machine(vm, NvidiaDevices(), options.gpus)


def _simulated(options: HostOptions) -> AttestationService:
    attester = SimulatedAttester(int(time.time()))
    click.echo(SIMULATED, err=True)
    if options.trust_out is not None:
        write_file(options.trust_out, attester.root_pem())
    settings = Settings(
        Anchors(()).trusting([attester.root_fingerprint]), endorsements=_endorsements(options)
    )
    return AttestationService(Machine(attester), settings, time.time)


def _endorsements(options: HostOptions) -> Endorsements:
    if not options.endorsement_paths:
        return Endorsements()
    from wasmtime_attestation.cli import given  # noqa: PLC0415 - most hosts need none

    return given.endorsements(options.endorsement_paths)
