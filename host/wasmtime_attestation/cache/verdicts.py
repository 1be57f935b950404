"""Tokens that `verify-token` accepted: the very same text need not be verified again.

A verdict is handed out for exactly the seconds at which verification would come out the same, as
it observed itself, to the guest that asked, and under the terms that it was given under. What was
refused is not kept.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from wasmtime_attestation.memo.instant import ObservedInstant
from wasmtime_attestation.wit import Status

T = TypeVar("T")

MAX_ENTRIES = 512
"""Verdicts that are kept, of all guests."""
MAX_SIZE = 8 << 20
"""Bytes of the tokens that they are about."""
_ENTRY_SIZE = 512


@dataclass(frozen=True, slots=True, eq=False)
class _Accepted:
    token: str
    status: Status
    terms: object
    seconds: range


class Verdicts:
    """The verdicts on tokens, the most recently used ones; threads may share them.

    Args:
        entries: how many are kept.
        size: of how many bytes of tokens.
    """

    def __init__(self, entries: int = MAX_ENTRIES, size: int = MAX_SIZE) -> None:
        self._most_entries, self._most_bytes = entries, size
        self._kept: OrderedDict[tuple[bytes | None, str], _Accepted] = OrderedDict()
        # A guest asks about the same token again and again: to compare is cheaper than to hash.
        self._last: dict[bytes | None, _Accepted] = {}
        self._size = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def status(
        self,
        guest: bytes | None,
        token: str,
        terms: T,
        now: int,
        verify: Callable[[str, T, datetime], Status],
    ) -> Status:
        """Returns the status of a token, which is verified where its verdict is not known.

        Args:
            guest: the digest of the guest that asks.
            token: the token, every character of it.
            terms: everything besides that a verdict depends on; compared by `==`.
            now: seconds since the Unix epoch.
            verify: verifies the token under the terms at an instant: a verdict depends on nothing
                else.

        Raises:
            AttestationError: what `verify` raises; that is not remembered.
        """
        found = self._last.get(guest)
        if found is None or found.token != token:
            found = self._find(guest, token)
        if found is not None and now in found.seconds and found.terms == terms:
            return found.status
        at = ObservedInstant.of(datetime.fromtimestamp(now, UTC), words=False)
        status = verify(token, terms, at)
        self._put((guest, token), _Accepted(token, status, terms, at.span.seconds()))
        return status

    def clear(self, guest: bytes | None) -> None:
        """Forgets the verdicts that a guest was given."""
        with self._lock:
            for key in [key for key in self._kept if key[0] == guest]:
                self._remove(key)

    def _find(self, guest: bytes | None, token: str) -> _Accepted | None:
        with self._lock:
            found = self._kept.get((guest, token))
            if found is not None:
                self._kept.move_to_end((guest, token))
                self._last[guest] = found
            return found

    def _put(self, key: tuple[bytes | None, str], accepted: _Accepted) -> None:
        with self._lock:
            self._remove(key)
            self._kept[key] = self._last[key[0]] = accepted
            self._size += len(accepted.token) + _ENTRY_SIZE
            while len(self._kept) > self._most_entries or self._size > self._most_bytes:
                self._remove(next(iter(self._kept)))

    def _remove(self, key: tuple[bytes | None, str]) -> None:
        removed = self._kept.pop(key, None)
        if removed is None:
            return
        self._size -= len(removed.token) + _ENTRY_SIZE
        if self._last.get(key[0]) is removed:
            del self._last[key[0]]
