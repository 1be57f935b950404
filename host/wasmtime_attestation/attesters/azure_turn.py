"""One at a time: whoever wants a report of Azure's paravisor waits for those who came before.

The paravisor has one place for user data, so that two who ask at once would disturb each other.
Threads of this process wait in the order in which they came; processes share an advisory lock
on the device. Other programs know neither: `azure_report` notices them.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from wasmtime_attestation.errors import UnavailableError

# The paravisor takes 2 seconds a report, and 32 guests may ask at once.
PATIENCE = 150.0
_PAUSE = 0.02


class Lockable(Protocol):
    """A device with an advisory lock."""

    def try_lock(self) -> bool:
        """Takes the lock; False if another has it."""

    def unlock(self) -> None:
        """Gives the lock back."""


class Turnstile:
    """Lets one caller through at a time, in the order in which they came.

    Args:
        patience: seconds that a caller waits.
    """

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._waiting: deque[object] = deque()
        self._changed = threading.Condition()

    @contextmanager
    def turn(self, device: Lockable) -> Iterator[None]:
        """Waits for the caller's turn, and keeps others waiting until the block ends.

        Raises:
            UnavailableError: the turn did not come in time.
        """
        deadline = time.monotonic() + self._patience
        ticket = object()
        with self._changed:
            self._waiting.append(ticket)
        try:
            self._wait_for_threads(ticket, deadline)
            self._wait_for_processes(device, deadline)
            try:
                yield
            finally:
                device.unlock()
        finally:
            self._leave(ticket)

    def _wait_for_threads(self, ticket: object, deadline: float) -> None:
        with self._changed:
            is_next = self._changed.wait_for(
                lambda: self._waiting[0] is ticket, deadline - time.monotonic()
            )
        if not is_next:
            raise UnavailableError(self._missed("others in this process"))

    def _wait_for_processes(self, device: Lockable, deadline: float) -> None:
        while not device.try_lock():
            if time.monotonic() > deadline:
                raise UnavailableError(self._missed("another process"))
            time.sleep(_PAUSE)

    def _leave(self, ticket: object) -> None:
        with self._changed:
            others = len(self._waiting) > 1
        if others:
            # So that other processes, which look every `_PAUSE`, get their turn too.
            time.sleep(2 * _PAUSE)
        with self._changed:
            self._waiting.remove(ticket)
            self._changed.notify_all()

    def _missed(self, who: str) -> str:
        return (
            f"{who} kept the vTPM for {self._patience:.0f} seconds; the paravisor makes a report "
            "every 2 seconds at most: ask less often, or try again"
        )


TURNSTILE = Turnstile()
"""That of this process: there is one vTPM."""
