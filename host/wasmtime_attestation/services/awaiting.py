"""Services for event loops."""

from __future__ import annotations

import asyncio

from wasmtime_attestation.services import Collector, Request, TokenService


async def aissue(service: TokenService, collector: Collector, request: Request) -> str:
    """`TokenService.issue` for event loops; it runs in a thread of the loop's executor.

    Evidence comes from devices that only block, so there is nothing to gain from a second HTTP
    layer. Who cancels the task waits no longer, but the thread goes on until it is done or the
    service's time is up, and what it gets is dropped.
    """
    return await asyncio.to_thread(service.issue, collector, request)
