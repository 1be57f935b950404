"""A machine whose evidence comes with more than the hardware gives: a boot log, endorsements."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from wasmtime_attestation import wit
from wasmtime_attestation.attesters.machine import Machine
from wasmtime_attestation.evidence.envelope import Evidence

Addition = Callable[[tuple[Evidence, ...]], tuple[Evidence, ...]]
"""Returns the same pieces with something added."""


class CompletedMachine(Machine):
    """Adds to evidence before a token carries it.

    Args:
        machine: that collects.
        additions: in their order.
    """

    def __init__(self, machine: Machine, additions: Sequence[Addition]) -> None:
        super().__init__(machine.vm, machine.devices, machine.expected_gpus)
        self._additions = tuple(additions)

    def collect(self, target: wit.Target, bound: bytes) -> tuple[Evidence, ...]:
        """Collects and adds; see `Machine.collect`."""
        evidence = super().collect(target, bound)
        for addition in self._additions:
            evidence = addition(evidence)
        return evidence
