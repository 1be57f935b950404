"""Stops guests for those who wait for them: a cancelled task, an iterator that is closed."""

from __future__ import annotations

from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import TypeAlias

from wasmtime_attestation.errors import AttestationError, InternalError

Stop: TypeAlias = Future[AttestationError]
"""Stops a guest when it is done, for the reason that it has."""


def stop_with(stop: Stop, reason: str) -> None:
    """Stops guests, unless they were stopped before."""
    with suppress(InvalidStateError):
        stop.set_result(InternalError(reason))


def either(one: Stop | None, other: Stop | None) -> Stop | None:
    """Returns what is done as soon as one of two is."""
    if one is None or other is None:
        return other if one is None else one
    first: Stop = Future()

    def forward(done: Stop) -> None:
        with suppress(InvalidStateError):
            first.set_result(done.result())

    one.add_done_callback(forward)
    other.add_done_callback(forward)
    return first
