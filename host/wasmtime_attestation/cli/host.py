"""Starts the host for `attest` and `run`: which TEE, what is trusted, what is said about it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import click

from wasmtime_attestation.attesters.detect import DetectedAttester, Detection, detect
from wasmtime_attestation.attesters.machine import Machine
from wasmtime_attestation.attesters.simulated import SimulatedAttester
from wasmtime_attestation.cli.options import write_file
from wasmtime_attestation.endorsements.anchors import Anchors
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
        tee: auto, none or simulated.
        trust_out: where to write the simulated root, if anywhere.
    """

    tee: str
    trust_out: Path | None


def start(options: HostOptions) -> AttestationService:
    """Starts a host.

    Raises:
        InvalidArgumentError: there is no simulated root to write, or no place to write it.
    """
    if options.tee == "simulated":
        return _simulated(options.trust_out)
    if options.trust_out is not None:
        raise InvalidArgumentError("--trust-out writes a simulated root: use --tee simulated")
    detection = detect() if options.tee == "auto" else Detection(TeeType.NONE, "", ())
    return AttestationService(
        Machine(DetectedAttester(detection)), Settings(Anchors.of_vendors()), time.time
    )


def _simulated(trust_out: Path | None) -> AttestationService:
    attester = SimulatedAttester(int(time.time()))
    click.echo(SIMULATED, err=True)
    if trust_out is not None:
        write_file(trust_out, attester.root_pem())
    anchors = Anchors(()).trusting([attester.root_fingerprint])
    return AttestationService(Machine(attester), Settings(anchors), time.time)
