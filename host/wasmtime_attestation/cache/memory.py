"""Tokens in memory: the most recently used ones, bounded in number and in bytes."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from wasmtime_attestation.cache.kept import Freshness, Kept
from wasmtime_attestation.cache.key import Key

_ENTRY_SIZE = 1024
"""Bytes that an entry takes besides its token, about."""


@dataclass(frozen=True, slots=True)
class _Entry:
    kept: Kept
    begin: int
    end: int
    outlived: float
    size: int


class MemoryTokens:
    """The tokens of one process; whoever shares it between threads locks it.

    Args:
        freshness: until when tokens are good.
        entries: how many are kept.
        size: how many bytes of them.
        elapsed: seconds from a fixed point, which nobody can set.
    """

    def __init__(
        self,
        freshness: Freshness,
        entries: int,
        size: int,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._freshness = freshness
        self._most_entries, self._most_bytes = entries, size
        self._elapsed = elapsed
        self._entries: OrderedDict[Key, _Entry] = OrderedDict()
        self._size = 0

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def size(self) -> int:
        """Bytes that are kept, about."""
        return self._size

    def get(self, key: Key, now: int) -> Kept | None:
        """Returns a token that is good, or None; one that is not is forgotten."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        # A clock that is set back again and again must not make a token last.
        if not entry.begin <= now < entry.end or self._elapsed() >= entry.outlived:
            self._remove(key)
            return None
        # Until it is half full the order does not matter.
        if 2 * len(self._entries) > self._most_entries or 2 * self._size > self._most_bytes:
            self._entries.move_to_end(key)
        return entry.kept

    def put(self, key: Key, kept: Kept) -> None:
        """Keeps a token; those that were not used for longest give way."""
        self._remove(key)
        begin, end = self._freshness.begin(kept), self._freshness.end(kept)
        outlived = self._elapsed() + end - begin
        entry = _Entry(kept, begin, end, outlived, kept.size + _ENTRY_SIZE)
        self._entries[key] = entry
        self._size += entry.size
        while len(self._entries) > self._most_entries or self._size > self._most_bytes:
            self._remove(next(iter(self._entries)))

    def clear(self, guest_digest: bytes | None) -> None:
        """Forgets a guest's tokens, of whatever they are about."""
        for key in [key for key in self._entries if key.guest_digest == guest_digest]:
            self._remove(key)

    def clear_all(self) -> None:
        """Forgets everything."""
        self._entries.clear()
        self._size = 0

    def _remove(self, key: Key) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._size -= entry.size
