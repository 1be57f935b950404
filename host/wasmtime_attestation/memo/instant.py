"""An instant that observes how it is used, so that one knows at which others the same happens."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any, SupportsIndex

_SAYS_NOTHING = {"span", "__class__"}
"""Attributes that do not depend on which instant it is."""
DAY = 86_400
"""Seconds."""


class Span:
    """The instants for which a computation comes out as it did for one of them.

    A computation that only compares its instant with others comes out the same until the next
    of these is passed; the ends are no part of the span. One that does anything else with it
    holds for that instant alone.

    Attributes:
        at: the one.

    Args:
        at: the one.
        words: whether what a computation says is part of what comes out.
    """

    __slots__ = ("_begin", "_end", "_exact", "_has_words", "at")

    def __init__(self, at: datetime, *, words: bool = True) -> None:
        self.at = at
        self._has_words = words
        self._begin: datetime | None = None
        self._end: datetime | None = None
        self._exact = False

    def holds(self, at: datetime) -> bool:
        """Whether the computation comes out the same at another instant."""
        if self._exact:
            # The same instant in another time zone would be written otherwise.
            return at.isoformat() == self.at.isoformat()
        begin, end = self._begin, self._end
        return (begin is None or begin < at) and (end is None or at < end)

    def compared_with(self, other: object) -> None:
        """Notes that the instant was compared with another."""
        if not isinstance(other, datetime) or other.tzinfo is None or other == self.at:
            self.pin()
        elif other < self.at:
            self._begin = other if self._begin is None else max(self._begin, other)
        else:
            self._end = other if self._end is None else min(self._end, other)

    def seconds(self) -> range:
        """Returns the whole seconds since the Unix epoch that are in it, within a day of `at`."""
        here = int(self.at.timestamp())
        first, end = here - DAY, here + DAY
        if self._exact:
            return range(here, here + 1)
        if self._begin is not None:
            first = max(first, math.floor(self._begin.timestamp()) + 1)
        if self._end is not None:
            end = min(end, math.ceil(self._end.timestamp()))
        return range(first, end)

    def worded(self) -> datetime:
        """Returns the instant for words, and notes its use where words matter."""
        return self.pin() if self._has_words else self.at

    def pin(self) -> datetime:
        """Notes that the instant itself was used, and returns it."""
        self._exact = True
        return self.at


def worded(at: datetime) -> datetime:
    """Returns an instant for what a message says of it, and for nothing that decides."""
    return at.span.worded() if isinstance(at, ObservedInstant) else at


def has_zone(at: datetime) -> bool:
    """Whether an instant has a time zone, as every instant must that is compared with others."""
    return (at.span.at if isinstance(at, ObservedInstant) else at).tzinfo is not None


class ObservedInstant(datetime):
    """A `datetime` that notes each use: comparisons bound its span, everything else pins it.

    What is made from it (`at + …`, `at.astimezone(…)`) is an ordinary `datetime`.
    """

    @classmethod
    def of(cls, at: datetime, *, words: bool = True) -> ObservedInstant:
        """Returns an instant to be observed, equal to another.

        Args:
            at: the other.
            words: whether what a computation says of it is part of what comes out.
        """
        date = (at.year, at.month, at.day, at.hour, at.minute, at.second, at.microsecond)
        observed = cls(*date, tzinfo=at.tzinfo, fold=at.fold)
        plain = datetime(*date, tzinfo=at.tzinfo, fold=at.fold)
        datetime.__setattr__(observed, "_span", Span(plain, words=words))
        return observed

    @property
    def span(self) -> Span:
        """What was observed."""
        span: Span = datetime.__getattribute__(self, "_span")
        return span

    def __getattribute__(self, name: str) -> Any:  # noqa: ANN401
        if name in _SAYS_NOTHING:
            return datetime.__getattribute__(self, name)
        return getattr(self.span.pin(), name)

    def __lt__(self, other: Any, /) -> bool:  # noqa: ANN401
        self.span.compared_with(other)
        return super().__lt__(other)

    def __le__(self, other: Any, /) -> bool:  # noqa: ANN401
        self.span.compared_with(other)
        return super().__le__(other)

    def __gt__(self, other: Any, /) -> bool:  # noqa: ANN401
        self.span.compared_with(other)
        return super().__gt__(other)

    def __ge__(self, other: Any, /) -> bool:  # noqa: ANN401
        self.span.compared_with(other)
        return super().__ge__(other)

    def __eq__(self, other: object) -> bool:
        return self.span.pin() == other

    def __ne__(self, other: object) -> bool:
        return self.span.pin() != other

    def __hash__(self) -> int:
        return hash(self.span.pin())

    def __str__(self) -> str:
        return str(self.span.pin())

    def __repr__(self) -> str:
        return repr(self.span.pin())

    def __format__(self, form: str, /) -> str:
        return format(self.span.pin(), form)

    def __add__(self, other: timedelta, /) -> datetime:  # type: ignore[override]
        return self.span.pin() + other

    def __radd__(self, other: timedelta, /) -> datetime:  # type: ignore[override]
        return other + self.span.pin()

    def __sub__(self, other: Any, /) -> Any:  # noqa: ANN401
        return self.span.pin() - other

    def __rsub__(self, other: datetime, /) -> timedelta:
        return other - self.span.pin()

    def __reduce_ex__(self, protocol: SupportsIndex, /) -> str | tuple[Any, ...]:
        return self.span.pin().__reduce_ex__(protocol)
