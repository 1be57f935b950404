"""Turns at Azure's paravisor: it has one place for user data, so one asks at a time.

Threads of this process wait in order. Processes share an advisory lock on the device, which other
programs do not know; `azure_report` notices those.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from wasmtime_attestation.attesters.turns import Turns
from wasmtime_attestation.errors import UnavailableError

PATIENCE = 150.0
"""Seconds that one waits: the paravisor takes two for each report, and dozens may ask at once."""

_PAUSE = 0.02


class Lockable(Protocol):
    """A device with an advisory lock."""

    def try_lock(self) -> bool:
        """Takes the lock; False if another has it."""

    def unlock(self) -> None:
        """Gives the lock back."""


class SharedTurns:
    """The queue of this process before a device that processes share.

    Args:
        device: what it is called in messages.
        patience: seconds that one waits for its turn.
    """

    def __init__(self, device: str, patience: float = PATIENCE) -> None:
        self._device = device
        self._patience = patience
        self._threads = Turns(device, interval=0.0)
        self._free_from = 0.0

    @contextmanager
    def turn(self, device: Lockable) -> Iterator[None]:
        """Waits for the turn, which lasts as long as the context.

        Raises:
            UnavailableError: it did not come in time.
        """
        deadline = time.monotonic() + self._patience
        with self._threads.turn(self._patience):
            self._lock(device, deadline)
            try:
                yield
            finally:
                device.unlock()
                # Other processes look every `_PAUSE`, and are to get their turn too.
                self._free_from = time.monotonic() + 2 * _PAUSE

    def _lock(self, device: Lockable, deadline: float) -> None:
        time.sleep(max(0.0, self._free_from - time.monotonic()))
        while not device.try_lock():
            if time.monotonic() > deadline:
                raise UnavailableError(
                    f"{self._device} is busy: other processes collect evidence through it, and "
                    f"this one waited {self._patience:g} seconds; try again later"
                )
            time.sleep(_PAUSE)
