"""Choices read from bytes: the same bytes make the same choices, and any bytes make some."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Choices:
    """A source of choices, which takes the first of everything when its bytes are used up.

    Args:
        data: where they come from: a fuzzer's input, or a seeded generator's output.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def over(self) -> bool:
        """Whether all bytes are used up."""
        return self._at >= len(self._data)

    def below(self, end: int) -> int:
        """Chooses a number from 0 to below `end`, which is at most 256."""
        if self.over:
            return 0
        self._at += 1
        return self._data[self._at - 1] % end

    def of(self, things: Sequence[T]) -> T:
        """Chooses one of up to 256 things."""
        return things[self.below(len(things))]

    def likely(self, times: int = 2) -> bool:
        """Says yes unless one in `times` says no; yes when the bytes are used up."""
        return self.below(times) != 1

    def u32(self) -> int:
        """Chooses a number that fits into 32 bits, of any size."""
        return int.from_bytes(bytes(self.below(256) for _ in range(self.below(5))), "little")
