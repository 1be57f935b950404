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


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a token was issued to, and what it is about.

    Attributes:
        guest_digest: SHA-256 of the guest; None where it is not known.
        gpu: the UUID of the GPU; None for the virtual machine.
    """

    guest_digest: bytes | None
    gpu: str | None = None


class TokenCache:
    """Keeps one token for each subject, in memory: the key that signed it ends with us."""

    def __init__(self) -> None:
        self._entries: OrderedDict[Subject, _Entry] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, subject: Subject, now: int) -> AttestationResult | None:
        """Returns a token that is good for `MARGIN` seconds from `now`, or None."""
        with self._lock:
            entry = self._entries.get(subject)
        if entry is None:
            return None
        fresh = entry.result.timestamp <= now < entry.expires_at - MARGIN
        return entry.result if fresh else None

    def put(self, subject: Subject, result: AttestationResult, expires_at: int) -> None:
        """Keeps a token; the oldest gives way."""
        with self._lock:
            self._entries[subject] = _Entry(result, expires_at)
            self._entries.move_to_end(subject)
            while len(self._entries) > MAX_ENTRIES:
                self._entries.popitem(last=False)

    def clear(self, guest_digest: bytes | None) -> None:
        """Forgets a guest's tokens, of whatever they are about."""
        with self._lock:
            for subject in [s for s in self._entries if s.guest_digest == guest_digest]:
                del self._entries[subject]
