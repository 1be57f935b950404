"""Tokens that are still good: a guest that asks again gets the same one."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from wasmtime_attestation.wit import AttestationResult

MAX_ENTRIES = 1024
MARGIN = 30
"""Seconds before expiry from which a token is no longer handed out."""


@dataclass(frozen=True, slots=True)
class _Entry:
    result: AttestationResult
    expires_at: int


class TokenCache:
    """Keeps one token for each guest digest, in memory: the key that signed it ends with us."""

    def __init__(self) -> None:
        self._entries: OrderedDict[bytes | None, _Entry] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, guest_digest: bytes | None, now: int) -> AttestationResult | None:
        """Returns a token that is good for `MARGIN` seconds from `now`, or None."""
        with self._lock:
            entry = self._entries.get(guest_digest)
        if entry is None:
            return None
        fresh = entry.result.timestamp <= now < entry.expires_at - MARGIN
        return entry.result if fresh else None

    def put(self, guest_digest: bytes | None, result: AttestationResult, expires_at: int) -> None:
        """Keeps a token; the oldest gives way."""
        with self._lock:
            self._entries[guest_digest] = _Entry(result, expires_at)
            self._entries.move_to_end(guest_digest)
            while len(self._entries) > MAX_ENTRIES:
                self._entries.popitem(last=False)

    def clear(self, guest_digest: bytes | None) -> None:
        """Forgets a guest's token."""
        with self._lock:
            self._entries.pop(guest_digest, None)
