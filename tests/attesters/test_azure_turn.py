"""Turns at the paravisor: in order, one at a time, in bounded time, and given back."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from wasmtime_attestation.attesters.azure_turn import SharedTurns
from wasmtime_attestation.errors import UnavailableError


class Lock:
    """A device that another process may hold."""

    def __init__(self, *, is_held: bool = False) -> None:
        self.is_held = is_held
        self.taken = 0

    def try_lock(self) -> bool:
        if self.is_held:
            return False
        self.is_held = True
        self.taken += 1
        return True

    def unlock(self) -> None:
        self.is_held = False


def test_threads_pass_in_the_order_in_which_they_came() -> None:
    turns, device, passed = SharedTurns("device"), Lock(), list[int]()

    def take(number: int) -> None:
        with turns.turn(device):
            assert device.is_held
            passed.append(number)

    with ThreadPoolExecutor(8) as threads, turns.turn(device):
        for number in range(8):
            threads.submit(take, number)
            time.sleep(0.005)
        assert passed == []
    assert passed == [*range(8)]
    assert not device.is_held


def test_another_process_is_waited_for() -> None:
    turns, device = SharedTurns("device"), Lock(is_held=True)
    threading.Timer(0.1, device.unlock).start()
    begin = time.monotonic()
    with turns.turn(device):
        assert 0.09 < time.monotonic() - begin < 5


def test_another_process_that_does_not_end_is_named() -> None:
    turns, device = SharedTurns("the vTPM", patience=0.1), Lock(is_held=True)
    message = r"the vTPM is busy: other processes.*0\.1 seconds"
    with pytest.raises(UnavailableError, match=message), turns.turn(device):
        pytest.fail("it is held")
    assert device.is_held, "what another holds is not given back"
    device.unlock()
    with turns.turn(device):
        assert device.is_held


def test_a_failure_gives_the_turn_back() -> None:
    turns, device = SharedTurns("device"), Lock()
    for error in (ValueError, KeyboardInterrupt):
        with pytest.raises(error), turns.turn(device):
            raise error
        assert not device.is_held


def test_another_process_gets_its_turn_between_two_of_ours() -> None:
    """It looks every 20 ms; we let 40 ms pass."""
    turns, device = SharedTurns("device"), Lock()
    with turns.turn(device):
        pass
    begin = time.monotonic()
    with turns.turn(device):
        assert time.monotonic() - begin > 0.03
