"""Calls per minute: one token bucket for each class of calls."""

from __future__ import annotations

import threading
from collections.abc import Callable

from wasmtime_attestation.capabilities.rule import Rule
from wasmtime_attestation.capabilities.terms import CallClass
from wasmtime_attestation.errors import DeniedError

MINUTE = 60.0


class Bucket:
    """A bucket that is full at first and holds what one minute allows; threads may share it.

    Args:
        per_minute: calls; 0 for any number.
        clock: a monotonic time in seconds.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float]) -> None:
        self._capacity = per_minute
        self._per_second = per_minute / MINUTE
        self._clock = clock
        self._left = float(per_minute)
        self._filled_at = clock() if per_minute else 0.0
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Takes a call out of it; returns whether there was one."""
        if not self._capacity:
            return True
        with self._lock:
            now = self._clock()
            gained = max(0.0, now - self._filled_at) * self._per_second
            self._left = min(float(self._capacity), self._left + gained)
            self._filled_at = now
            if self._left < 1:
                return False
            self._left -= 1
            return True


class Rates:
    """What one guest has left of the calls that a rule allows.

    Args:
        rule: the rule.
        clock: a monotonic time in seconds.
    """

    def __init__(self, rule: Rule, clock: Callable[[], float]) -> None:
        self._rule = rule
        self._buckets = {kind: Bucket(rule.per_minute[kind], clock) for kind in CallClass}

    def take(self, kind: CallClass) -> None:
        """Counts a call.

        Raises:
            DeniedError: there were too many.
        """
        if not self._buckets[kind].take():
            raise DeniedError(
                f"rule guests.{self._rule.name}.{kind}-per-minute allows "
                f"{self._rule.per_minute[kind]} calls a minute: wait, and call less often"
            )
