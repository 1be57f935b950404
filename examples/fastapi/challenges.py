"""Challenges: nonces that this service issued, each of which is good once and for a while.

They live in this process. Where several processes serve, keep them where all can take one away.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable

SECONDS = 120.0
MOST = 10_000
"""Challenges that are open; when there are more, the oldest is over."""


class Challenges:
    """The challenges that are open.

    Args:
        clock: seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._open: dict[bytes, float] = {}
        self._lock = threading.Lock()

    def issue(self) -> bytes:
        """Returns a new nonce, 32 bytes."""
        nonce = secrets.token_bytes(32)
        with self._lock:
            while len(self._open) >= MOST:
                del self._open[next(iter(self._open))]
            self._open[nonce] = self._clock() + SECONDS
        return nonce

    def redeem(self, nonce: bytes) -> bool:
        """Closes a challenge, and returns whether it was open; of two at once, one succeeds.

        It is closed before the answer is verified: whoever answers wrongly needs another one.
        """
        with self._lock:
            return self._open.pop(nonce, 0.0) > self._clock()
