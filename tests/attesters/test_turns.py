"""Turns at a device: in order, bounded in time, and given back whatever happens."""

from __future__ import annotations

import threading
import time

import pytest
from wasmtime_attestation.attesters.turns import Turns
from wasmtime_attestation.errors import UnavailableError


def test_first_come_first_served_and_one_at_a_time() -> None:
    turns, served, inside = Turns("device", interval=0), [], []
    held, waiting = threading.Event(), []

    def visit(index: int) -> None:
        with turns.turn():
            inside.append(index)
            assert len(inside) == 1
            if index == 0:
                held.wait(10)
            served.append(index)
            inside.clear()

    for index in range(20):
        waiting.append(threading.Thread(target=visit, args=(index,)))
        waiting[-1].start()
        while len(turns._queue) <= index:
            time.sleep(0.001)
    held.set()
    for thread in waiting:
        thread.join(10)
    assert served == list(range(20))


def test_who_waits_too_long_is_told_and_leaves_the_queue() -> None:
    turns = Turns("/dev/example", interval=0)
    with turns.turn():
        begin = time.monotonic()
        with pytest.raises(UnavailableError, match="/dev/example is busy"), turns.turn(0.05):
            pass
        assert time.monotonic() - begin < 2
    with turns.turn(0.05):
        pass


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_turn_is_given_back(error: type[BaseException]) -> None:
    turns = Turns("device", interval=0)
    with pytest.raises(error), turns.turn():
        raise error
    with turns.turn(0.05):
        pass


def test_turns_keep_their_distance() -> None:
    turns = Turns("device", interval=0.03)
    begin = time.monotonic()
    for _ in range(5):
        with turns.turn():
            pass
    assert time.monotonic() - begin >= 4 * 0.03
