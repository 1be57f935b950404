"""A record on a Redis server, for relying parties on several machines.

Source: Redis commands, SET (NX, PX): set and expiry are one atomic step; INFO, `maxmemory_policy`.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from wasmtime_attestation.cache.redis_server import RedisServer
from wasmtime_attestation.errors import UnavailableError
from wasmtime_attestation.nonces import digest, seconds_left

_PREFIX = b"wasmtime-attestation:nonce:"
_GRACE = 86_400
"""Seconds for which a nonce is remembered longer: clocks of several machines differ."""


class RedisNonces:
    """Nonces that any client of a server used.

    Args:
        server: where they are.
        clock: the time, in seconds since the Unix epoch.
    """

    def __init__(self, server: RedisServer, clock: Callable[[], float] = time.time) -> None:
        self._server = server
        self._clock = clock
        self._is_checked = False

    def use(self, nonce: bytes, until: int) -> bool:
        """Uses a nonce; see `NonceRecord.use`."""
        left = seconds_left(until, self._clock()) + _GRACE
        if not self._is_checked:
            self._check_remembers()
            self._is_checked = True
        return self._server.add(_PREFIX + digest(nonce), left)

    def _check_remembers(self) -> None:
        """A server that makes room by forgetting would let nonces be used twice."""
        limit, policy = self._server.memory_policy()
        if limit and policy != "noeviction":
            raise UnavailableError(
                f"{self._server} forgets keys when its memory is full (maxmemory-policy "
                f"{policy}): nonces could be used twice; set noeviction, or use a server of its own"
            )
