"""Work in a thread of its own, so that whoever waits for it can stop waiting.

Python delivers Ctrl-C to the main thread alone, and only between Python
instructions: a guest that runs there would hold it up, and in a host function
it would end in the wrong place.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextvars import copy_context
from threading import Thread
from typing import Any, Generic, TypeVar

from wasmtime_attestation.world.failures import StartError

T = TypeVar("T")

GRACE = 1.0
"""How many seconds work that is told to stop may take to do so."""
_POLL = 0.25  # on Windows, Ctrl-C does not interrupt a wait
_RETRY = 0.01


class Worker(Generic[T]):
    """A call to run in a new thread, which does not keep the process alive.

    Args:
        call: what to run.
    """

    def __init__(self, call: Callable[[], T]) -> None:
        self._outcome: Future[T] = Future()
        self._call = call

    def start(self) -> None:
        """Starts the call.

        Raises:
            StartError: this process can have no further thread; the call is done then.
        """
        try:
            Thread(target=copy_context().run, args=(self._work,), daemon=True).start()
        except RuntimeError as error:
            failure = StartError(f"no guest can start: {error}; run fewer of them at once")
            self._outcome.set_exception(failure)
            raise failure from error

    @property
    def done(self) -> bool:
        """Whether the call has returned or raised."""
        return self._outcome.done()

    def result(self) -> T:
        """Returns what the call returned, or raises what it raised, once it is done."""
        return self._outcome.result()

    def wait(self) -> None:
        """Waits until the call is done."""
        while not self.done:
            self.pause(_POLL)

    def pause(self, seconds: float, unless: Future[Any] | None = None) -> None:
        """Waits for a while, and no longer than until the call is done.

        Args:
            seconds: for how long at most; it may be less.
            unless: ends the wait too, when it is done.
        """
        either = [self._outcome] if unless is None else [self._outcome, unless]
        wait(either, max(0.0, min(seconds, _POLL)), FIRST_COMPLETED)

    def stop(self, interrupt: Callable[[], object]) -> None:
        """Interrupts the call until it is done, for `GRACE` seconds at most.

        Args:
            interrupt: asks it to end; called again and again, as the call may
                not have got to where it listens.
        """
        end = time.monotonic() + GRACE
        while not self.done and time.monotonic() < end:
            interrupt()
            wait([self._outcome], _RETRY)

    def _work(self) -> None:
        try:
            result = self._call()
        except BaseException as error:  # noqa: BLE001 - it goes to whoever waits
            self._outcome.set_exception(error)
        else:
            self._outcome.set_result(result)
