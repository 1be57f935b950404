"""A simulated machine: a virtual machine and its GPUs, and the roots that vouch for them alone."""

from __future__ import annotations

from dataclasses import dataclass

from wasmtime_attestation.attesters.machine import Machine
from wasmtime_attestation.attesters.simulated import SimulatedAttester
from wasmtime_attestation.endorsements.anchors import Anchors


@dataclass(frozen=True, slots=True)
class Simulation:
    """A simulated machine.

    Attributes:
        machine: collects evidence.
        root: SHA-256 of the SubjectPublicKeyInfo of the root of its virtual machine.
        anchors: its roots and no others; what ends there is `simulated`.
        roots_pem: the roots, for those who want to trust this simulation.
    """

    machine: Machine
    root: bytes
    anchors: Anchors
    roots_pem: bytes


def simulate(now: int, gpus: int | None = None) -> Simulation:
    """Starts a simulation.

    Args:
        now: when its keys become valid, in seconds since the Unix epoch.
        gpus: how many GPUs the machine must have, and so has; without a number it has none.
    """
    vm = SimulatedAttester(now)
    devices, roots = None, [vm.root_fingerprint]
    roots_pem = vm.root_pem()
    if gpus:
        from wasmtime_attestation.attesters.simulated_gpus import SimulatedGpus  # few have GPUs

        devices = SimulatedGpus(now, gpus)
        roots.append(devices.root_fingerprint)
        roots_pem += devices.root_pem()
    anchors = Anchors(()).trusting(roots)
    return Simulation(Machine(vm, devices, gpus), roots[0], anchors, roots_pem)
