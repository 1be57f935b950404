"""The record of nonces already used: a relying party accepts each one once.

Records keep digests, not nonces. A record that cannot be reached, or is full, has no answer:
`use` raises, and what was to be accepted is not.
"""

from __future__ import annotations

import hashlib
from typing import Protocol

LONGEST = 366 * 86_400
"""Seconds for which a nonce can be remembered at most."""


class NonceRecord(Protocol):
    """Which nonces were used; threads and processes may share one."""

    def use(self, nonce: bytes, until: int) -> bool:
        """Uses a nonce, unless it was used before; of all who try at once, one succeeds.

        Args:
            nonce: the challenge.
            until: to when what answers it could be accepted otherwise, in seconds since the Unix
                epoch; it is remembered at least as long.

        Returns:
            whether this call is the first.

        Raises:
            UnavailableError: nobody knows; the nonce must count as used.
            ValueError: it is over already, or further away than `LONGEST`.
        """


def digest(nonce: bytes) -> bytes:
    """Returns what a record keeps of a nonce: 32 bytes."""
    return hashlib.sha256(b"wasmtime-attestation nonce\n" + nonce).digest()


def seconds_left(until: int, now: float) -> int:
    """Returns for how many seconds a nonce must be remembered, at least one.

    Raises:
        ValueError: none, or for longer than `LONGEST`.
    """
    left = until - int(now)
    if not 0 < left <= LONGEST:
        raise ValueError(f"a nonce is remembered for 1 to {LONGEST} seconds, not {left}")
    return left
