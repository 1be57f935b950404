"""Calls of a driver, one at a time, in a thread that nobody has to wait for.

A call into a driver cannot be interrupted. One that never returns keeps its thread, a daemon,
which does not keep the process alive; whoever waits is told, and so is everyone behind it.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

from wasmtime_attestation.errors import UnavailableError

T = TypeVar("T")


class _Call(Generic[T]):
    """A call and what comes of it."""

    def __init__(self, function: Callable[[], T], doing: str, seconds: float) -> None:
        self.doing = doing
        self.outcome: Future[T] = Future()
        self.begun = 0.0
        self._function = function
        self._seconds = seconds

    @property
    def left(self) -> float:
        """How many seconds it may still take, once it runs."""
        return self.begun + self._seconds - time.monotonic()

    def run(self) -> None:
        """Makes the call."""
        try:
            result = self._function()
        except BaseException as error:  # noqa: BLE001 - it goes to whoever waits
            self.outcome.set_exception(error)
        else:
            self.outcome.set_result(result)


class NvmlThread:
    """Makes calls in the order in which they come; each has a time limit of its own."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[_Call[Any]] = deque()
        self._running: _Call[Any] | None = None
        self._started = False

    def call(self, function: Callable[[], T], doing: str, seconds: float) -> T:
        """Makes a call and returns its result, or raises what it raises.

        The limit begins with the call itself, so that those who wait in a long queue, each of
        which is quick, all get their turn.

        Args:
            function: the call.
            doing: what it is, for messages.
            seconds: how long it may take.

        Raises:
            UnavailableError: it takes longer, or one before it does.
        """
        call = _Call(function, doing, seconds)
        with self._changed:
            self._waiting.append(call)
            self._changed.notify_all()
            if not self._started:
                self._started = True
                threading.Thread(target=self._serve, name="nvml", daemon=True).start()
            try:
                self._wait(call)
            finally:
                if call in self._waiting:
                    self._waiting.remove(call)
        return call.outcome.result()

    def _wait(self, call: _Call[Any]) -> None:
        while not call.outcome.done():
            running = self._running
            if running is not None and running.left <= 0:
                raise _stuck(call, running)
            self._changed.wait(None if running is None else running.left)

    def _serve(self) -> None:
        while True:
            with self._changed:
                while not self._waiting:
                    self._changed.wait()
                call = self._running = self._waiting.popleft()
                call.begun = time.monotonic()
                self._changed.notify_all()
            call.run()
            with self._changed:
                self._running = None
                self._changed.notify_all()


def _stuck(call: _Call[Any], running: _Call[Any]) -> UnavailableError:
    since = time.monotonic() - running.begun
    before = "" if call is running else f"; before it came: {running.doing}"
    return UnavailableError(
        f"{call.doing}: NVIDIA's driver has not answered for {since:.0f} seconds{before}; "
        "see dmesg, and restart the machine if it stays so"
    )
