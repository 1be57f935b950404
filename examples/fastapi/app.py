"""A service that runs guests under attestation, and verifies tokens as a relying party.

    uvicorn --factory examples.fastapi.app:from_environment

The host is configured as the command line's is (`WASMTIME_ATTESTATION_…`, or the user's file);
`GUESTS` names a folder of guests. Put authentication and a limit for the sizes of requests in front
of it: whoever may run guests here spends this machine's time and gets its tokens, and the bodies of
JSON are read whole before they are looked at.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, HTTPException, Request
from pydantic import BaseModel, Field
from wasmtime_attestation import (
    AttestationHost,
    Challenge,
    Guest,
    Limits,
    Outcome,
    Runtime,
    TargetVm,
)
from wasmtime_attestation.wit import Expectations

from examples.fastapi.challenges import Challenges
from examples.fastapi.clients import while_connected
from examples.fastapi.problems import answer_by_blame

AT_ONCE = os.cpu_count() or 1
"""Guests that run at a time; who comes later is told to try again."""
LARGEST_GUEST = 64 << 20
"""Bytes of a guest that is uploaded."""
LIMITS = Limits(seconds=30, memory_bytes=256 << 20, output_bytes=1 << 20, host_calls=10_000)
"""What a guest may use up. It gets no folder, no environment and no network."""

Nonce = Annotated[str, Field(pattern="^([0-9a-f]{2}){8,64}$", examples=["00112233445566ff"])]
Arguments = Annotated[list[str], Field(max_length=100)]


class Order(BaseModel):
    """What to run a guest for."""

    args: Arguments = []
    nonce: Nonce | None = None


class Answer(BaseModel):
    """How a guest ended, and proof of where it ran if a nonce was given.

    The token names the guest's digest, answers the nonce, and its user data is the SHA-256 of
    what the guest wrote to standard output. All three are this host's word: they count as far as
    the verifier's policy covers the software of this host.
    """

    exit_code: int
    ended: str
    reason: str
    stdout: str
    stderr: str
    duration: float
    calls: dict[str, int]
    token: str | None


class Presented(BaseModel):
    """A token that answers a challenge of this service."""

    token: Annotated[str, Field(max_length=1 << 20)]
    nonce: Nonce


class Accepted(BaseModel):
    """What is known of a token that was accepted."""

    issuer: str
    tee_type: str
    status: str
    guest_digest: str | None


def create_app(
    host: AttestationHost,
    guests: Path,
    *,
    limits: Limits = LIMITS,
    policy: str = "hardware-only",
) -> FastAPI:
    """Returns the service.

    Args:
        host: serves the guests and verifies tokens; it is closed with the service.
        guests: a folder of guests that are run by name.
        limits: what each run may use up.
        policy: the name of a policy of the host's, which tokens must satisfy. Tokens of other
            hosts need one with reference values.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        with host:
            yield

    app = FastAPI(title="Guests under attestation", lifespan=lifespan)
    answer_by_blame(app)
    _serve_runs(app, host, guests, limits)
    _serve_tokens(app, host, policy)
    return app


def from_environment() -> FastAPI:
    """Returns the service as the environment configures it."""
    return create_app(AttestationHost.from_environment(), Path(os.environ.get("GUESTS", "guests")))


def _serve_runs(app: FastAPI, host: AttestationHost, guests: Path, limits: Limits) -> None:
    runtime = Runtime(host)
    named = {path.stem: Guest.from_file(path) for path in sorted(guests.glob("*.wasm"))}
    running = asyncio.Semaphore(AT_ONCE)

    async def run(guest: Guest, order: Order) -> Answer:
        if running.locked():
            raise HTTPException(503, "other guests are running", {"Retry-After": "5"})
        async with running:
            # The event loop goes on meanwhile.
            outcome = await runtime.arun(guest, order.args, limits=limits)
            token = None
            if order.nonce is not None:
                nonce = bytes.fromhex(order.nonce)
                token = await asyncio.to_thread(_prove, host, guest, outcome, nonce)
        return _answer(outcome, token)

    @app.post("/guests/{name}/runs")
    async def run_named(name: str, order: Order, request: Request) -> Answer:
        """Runs a guest of the folder."""
        if name not in named:
            raise HTTPException(404, f"there is no guest {name}")
        return await while_connected(request, run(named[name], order))

    @app.post("/runs")
    async def run_uploaded(request: Request, nonce: Nonce | None = None) -> Answer:
        """Runs the guest in the request's body, a component or a core module."""
        wasm = await _body(request, LARGEST_GUEST)
        guest = Guest("uploaded.wasm", wasm)
        return await while_connected(request, run(guest, Order(nonce=nonce)))


def _serve_tokens(app: FastAPI, host: AttestationHost, policy: str) -> None:
    challenges = Challenges()

    @app.post("/challenges")
    async def challenge() -> dict[str, str]:
        """Returns a nonce for a token that is to be presented here, once, within two minutes."""
        return {"nonce": challenges.issue().hex()}

    # Not `async`: verification takes milliseconds of processor time, so it gets a thread.
    @app.post("/tokens")
    def present(presented: Presented) -> Accepted:
        """Accepts a token that answers a challenge and satisfies the policy."""
        nonce = bytes.fromhex(presented.nonce)
        if not challenges.redeem(nonce):
            raise HTTPException(409, "no such challenge is open: it was used, or is over")
        expected = Expectations(nonce=nonce, policy=policy)
        verdict = host.world_for().verify(presented.token, expected)
        digest = verdict.guest_digest
        return Accepted(
            issuer=verdict.issuer,
            tee_type=verdict.tee_type,
            status=verdict.status,
            guest_digest=None if digest is None else digest.hex(),
        )


def _prove(host: AttestationHost, guest: Guest, outcome: Outcome, nonce: bytes) -> str:
    """Attests the virtual machine for a client's challenge, with what came of a guest."""
    written = hashlib.sha256(outcome.stdout).digest()
    challenge = Challenge(nonce=nonce, user_data=written)
    return host.world_for(guest).attest(TargetVm(), challenge).token


def _answer(outcome: Outcome, token: str | None) -> Answer:
    return Answer(
        exit_code=outcome.exit_code,
        ended=outcome.ended,
        reason=outcome.reason,
        stdout=outcome.stdout.decode(errors="replace"),
        stderr=outcome.stderr.decode(errors="replace"),
        duration=outcome.duration,
        calls=dict(outcome.calls),
        token=token,
    )


async def _body(request: Request, most: int) -> bytes:
    """Reads a request's body, of which no more than that is kept."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > most:
            raise HTTPException(413, f"a guest has at most {most} bytes")
    return bytes(body)
