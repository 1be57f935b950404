"""Runs guests for an event loop, each in a thread; cancelling the task stops the guest."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from contextvars import copy_context
from threading import Thread
from typing import TypeVar

from wasmtime_attestation.embedding.stopping import Stop, stop_with

T = TypeVar("T")


async def awaited(call: Callable[[Stop], T]) -> T:
    """Makes a call in a thread of its own; being cancelled stops the guest that it runs.

    Args:
        call: runs a guest until its end or until it is told to stop, which takes little time.
    """
    stop: Stop = Future()
    outcome: Future[T] = Future()

    def work() -> None:
        try:
            result = call(stop)
        except BaseException as error:  # noqa: BLE001 - it goes to whoever awaits
            outcome.set_exception(error)
        else:
            outcome.set_result(result)

    # No executor: its threads are bounded, and guests may run for hours.
    Thread(target=copy_context().run, args=(work,), daemon=True).start()
    done = asyncio.wrap_future(outcome)
    try:
        return await asyncio.shield(done)
    except asyncio.CancelledError:
        stop_with(stop, "the task that awaited the guest was cancelled")
        await _ended(done)
        raise


async def _ended(done: asyncio.Future[T]) -> None:
    """Waits for the end of a guest that was stopped, also when cancelled again."""
    while not done.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait([done])
    if not done.cancelled():
        done.exception()  # seen, so that asyncio does not complain of it
