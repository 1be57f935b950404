"""Hundreds of runs of a guest at once, in either ABI: the host collects evidence once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from wasmtime_attestation import wit
from wasmtime_attestation.attesters.machine import Machine
from wasmtime_attestation.service import AttestationService, Settings
from wasmtime_attestation.world.limits import Limits
from wasmtime_attestation.world.runtime import Guest, Runtime

from tests.cache.test_service import Counted
from tests.emulation.guests_at_once import guests
from tests.fakes.amd import real_anchors
from tests.fakes.host import Clock


class Door:
    """A guest's world that counts those who asked, and opens for all when the last one has."""

    def __init__(self, world: wit.World, machine: Counted, count: int) -> None:
        self._world, self._machine, self._left = world, machine, count
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method: Callable[..., Any] = getattr(self._world, name)
        return method

    def attest_vm(self) -> wit.AttestationResult:
        """Answers when everybody has asked."""
        with self._lock:
            self._left -= 1
            if self._left == 0:
                threading.Timer(0.2, self._machine.may_end.set).start()
        return self._world.attest_vm()


@pytest.mark.parametrize("count", [60, pytest.param(300, marks=pytest.mark.slow)])
@pytest.mark.parametrize("guest", guests(2), ids=["legacy", "component"])
def test_all_runs_of_a_guest_cause_one_collection(guest: Guest, count: int) -> None:
    machine, runtime = Counted(), Runtime()
    service = AttestationService(Machine(machine), Settings(real_anchors()), Clock())
    world = Door(service.for_guest(guest.digest), machine, count)
    runtime.compile(guest)
    with ThreadPoolExecutor(count) as pool:
        limits = Limits(seconds=300)
        outcomes = list(pool.map(lambda _: runtime.run(guest, world, limits=limits), range(count)))
    assert {outcome.exit_code for outcome in outcomes} == {0}
    assert machine.count == 1
