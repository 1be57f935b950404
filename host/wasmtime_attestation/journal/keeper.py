"""A thread that works some time after it was woken, and sleeps while there is nothing to do."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Keeper:
    """One thread.

    Args:
        seconds: how long after it was woken it works.
        work: what it does; returns whether there is more to do.
    """

    def __init__(self, seconds: float, work: Callable[[], bool]) -> None:
        self._seconds = seconds
        self._work = work
        self._woken, self._stopped = threading.Event(), threading.Event()
        # A daemon: who forgets to close a journal must still be able to end.
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Says that there is something to do."""
        if not self._woken.is_set():
            self._woken.set()

    def stop(self) -> None:
        """Ends the thread; work that has begun is finished."""
        self._stopped.set()
        self._woken.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            self._woken.wait()
            if self._stopped.wait(self._seconds):
                return
            self._woken.clear()
            if self._work():
                self._woken.set()
