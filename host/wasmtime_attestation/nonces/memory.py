"""A record in memory, for one process; it is empty after a restart."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from wasmtime_attestation.errors import UnavailableError
from wasmtime_attestation.nonces import digest, seconds_left

MAX_ENTRIES = 1 << 20


class MemoryNonces:
    """Nonces that this process used.

    Args:
        clock: the time, in seconds since the Unix epoch.
        entries: how many are remembered; beyond that there is no answer.
        elapsed: seconds from a fixed point, which nobody can set.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.time,
        entries: int = MAX_ENTRIES,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock, self._elapsed = clock, elapsed
        self._most = entries
        self._ends: dict[bytes, float] = {}
        self._lock = threading.Lock()

    def use(self, nonce: bytes, until: int) -> bool:
        """Uses a nonce; see `NonceRecord.use`."""
        end = self._elapsed() + seconds_left(until, self._clock()) + 1
        with self._lock:
            if self._ends.get(digest(nonce), 0.0) > self._elapsed():
                return False
            if len(self._ends) >= self._most:
                self._forget()
            self._ends[digest(nonce)] = end
            return True

    def _forget(self) -> None:
        now = self._elapsed()
        self._ends = {key: end for key, end in self._ends.items() if end > now}
        if len(self._ends) >= self._most:
            raise UnavailableError(
                f"{self._most} nonces are remembered already: nothing more is accepted until the "
                "first expire; use a record in a file or on Redis"
            )
