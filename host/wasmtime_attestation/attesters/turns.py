"""Turns at a device: who comes first is served first, one at a time, and not too fast.

A device for attestation serves a whole machine, at times a whole host, one request after the
other. Who waits here waits in order; whoever stormed it would wait in the kernel, in no order.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from wasmtime_attestation.errors import UnavailableError

INTERVAL = 0.05
"""Seconds between the beginnings of two turns: a process makes at most 20 requests a second."""
PATIENCE = 120.0
"""Seconds that one waits for its turn: as long as dozens of quotes of a second each take."""


class Turns:
    """The queue before one device, of this process.

    Args:
        device: what it is called in messages.
        interval: seconds between the beginnings of two turns.
    """

    def __init__(self, device: str, interval: float = INTERVAL) -> None:
        self._device = device
        self._interval = interval
        self._lock = threading.Lock()
        self._queue: deque[threading.Event] = deque()
        self._next = 0.0

    @contextmanager
    def turn(self, seconds: float = PATIENCE) -> Iterator[None]:
        """Waits for the turn, which lasts as long as the context.

        Args:
            seconds: how long to wait.

        Raises:
            UnavailableError: it did not come.
        """
        called = threading.Event()
        try:
            self._join(called)
            if not called.wait(seconds):
                raise UnavailableError(
                    f"{self._device} is busy: others asked for evidence before, and their requests "
                    f"took more than {seconds:g} seconds; try again later"
                )
            self._keep_interval()
            yield
        finally:
            self._leave(called)

    def _join(self, called: threading.Event) -> None:
        with self._lock:
            self._queue.append(called)
            self._queue[0].set()

    def _leave(self, called: threading.Event) -> None:
        with self._lock:
            if called in self._queue:
                self._queue.remove(called)
            if self._queue:
                self._queue[0].set()

    def _keep_interval(self) -> None:
        time.sleep(max(0.0, self._next - time.monotonic()))
        self._next = time.monotonic() + self._interval
