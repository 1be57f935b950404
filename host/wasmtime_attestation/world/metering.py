"""Counts what a guest asks of its host, and ends it where that is too much."""

from __future__ import annotations

from collections import Counter

from wasmtime_attestation.world.limits import LimitKind, Limits

_UNLIMITED = 1 << 63


class Stopped(BaseException):
    """Ends a guest's run from within a host call, or while it computes.

    It is nobody's error, and no `except Exception` may catch it.

    Args:
        limit: which limit ends it; None where whoever runs the guest knows.
    """

    def __init__(self, limit: LimitKind | None = None) -> None:
        self.limit = limit
        super().__init__(f"its {limit} ran out" if limit else "it was stopped")


class Meter:
    """What one run has used of its host.

    It counts calls as the guest makes them and bytes as they cross the border,
    whether or not they mean anything.

    Args:
        limits: how much there is.

    Attributes:
        calls: how often each function was called, by its WIT name.
    """

    __slots__ = ("_bytes", "_calls", "calls")

    def __init__(self, limits: Limits) -> None:
        self._calls = _UNLIMITED if limits.host_calls is None else limits.host_calls
        self._bytes = _UNLIMITED if limits.host_bytes is None else limits.host_bytes
        self.calls: Counter[str] = Counter()

    def called(self, name: str) -> None:
        """Counts a call, before anything else of it happens.

        Raises:
            Stopped: it is one too many.
        """
        self._calls -= 1
        if self._calls < 0:
            raise Stopped(LimitKind.HOST_CALLS)
        self.calls[name] += 1

    def passed(self, size: int) -> None:
        """Counts bytes that the guest passes, before they are copied.

        Raises:
            Stopped: they are too many.
        """
        self._bytes -= size
        if self._bytes < 0:
            raise Stopped(LimitKind.HOST_BYTES)
