"""Clients that go away: nobody waits for what is done for them, and a server does not stop it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from fastapi import HTTPException, Request

T = TypeVar("T")
GONE = 499
"""No client reads it; the server's log does."""


async def while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Awaits work for a request, whose body was read; it is cancelled if the client goes away.

    Raises:
        HTTPException: it went.
    """
    working, gone = asyncio.ensure_future(work), asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait((working, gone), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise HTTPException(GONE, "the client went away")
        return working.result()
    finally:
        gone.cancel()
        if working.cancel():
            # What is cancelled may take a moment to stop, and counts as running until then.
            await asyncio.wait((working,))


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
