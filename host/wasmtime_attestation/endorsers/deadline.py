"""An instant by which something must be over, whatever anybody else does."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deadline:
    """An instant of the monotonic clock.

    Attributes:
        instant: in seconds, as `time.monotonic`.
        seconds: how long there was at first, for messages.
    """

    instant: float
    seconds: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """Returns the instant some seconds from now."""
        return cls(time.monotonic() + seconds, seconds)

    @property
    def left(self) -> float:
        """How many seconds are left; never less than 0."""
        return max(0.0, self.instant - time.monotonic())

    @property
    def is_over(self) -> bool:
        """Whether it has passed."""
        return self.left == 0.0

    @property
    def missed(self) -> str:
        """What to say when it has passed."""
        return f"there was no whole answer within {self.seconds:g} seconds"
