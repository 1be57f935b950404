"""Runs that were stopped and did not end: their guests are within calls that nothing interrupts.

A guest may ask WASI to sleep for years. wasmtime does not wake it, so each such run keeps a thread
and the guest's memory. Hence there may be only so many, and fewer of one guest, which shall not
keep others out.
"""

from __future__ import annotations

from threading import Lock

from wasmtime_attestation.world.failures import StartError
from wasmtime_attestation.world.guest import Guest
from wasmtime_attestation.world.run import Run

MAX_OF_ONE = 4
"""Runs of one guest, by its digest; then it is not started until one of them has ended."""
MAX_OF_ALL = 64
"""Runs of all guests; then none is started."""


class LeftBehind:
    """The runs of one runtime that nobody waits for; threads may share it."""

    def __init__(self) -> None:
        self._runs: list[tuple[bytes, Run]] = []
        self._lock = Lock()

    def __len__(self) -> int:
        with self._lock:
            self._runs = [(digest, run) for digest, run in self._runs if not run.worker.done]
            return len(self._runs)

    def add(self, guest: Guest, run: Run) -> None:
        """Notes a run that did not end when it was stopped."""
        with self._lock:
            self._runs.append((guest.digest, run))

    def check(self, guest: Guest) -> None:
        """Checks whether a guest may start.

        Raises:
            StartError: too many runs, of this guest or of all, have not ended.
        """
        total = len(self)
        with self._lock:
            of_one = sum(digest == guest.digest for digest, _ in self._runs)
        if of_one >= MAX_OF_ONE:
            raise StartError(
                f"{guest.name} cannot start: {of_one} of its runs were stopped within a call that "
                "does not end, such as a long sleep, and each keeps a thread; wait for them, or do "
                "not run this guest"
            )
        if total >= MAX_OF_ALL:
            raise StartError(
                f"{guest.name} cannot start: {total} guests were stopped within calls that do not "
                "end, and each keeps a thread; start this process anew to be rid of them"
            )
