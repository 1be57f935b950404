"""The example of a web service, over its HTTP interface, with real guests on a simulated host."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from fastapi import FastAPI
from wasmtime import wat2wasm
from wasmtime_attestation import AttestationHost, Challenge, Limits, TargetVm

from examples.fastapi import app as service
from examples.fastapi.challenges import Challenges
from tests.cli.tool import run
from tests.example_guests import cpp_guests

NONCE = "00112233445566778899aabbccddeeff"
ENDLESS = bytes(
    wat2wasm('(module (memory (export "memory") 1) (func (export "_start") (loop (br 0))))')
)
CONFIGURATION = {"schema": 1, "host": {"tee": "simulated", "gpus": 1}}

T = TypeVar("T")


@pytest.fixture
def host() -> AttestationHost:
    return AttestationHost(CONFIGURATION)


def members(answer: httpx.Response) -> dict[str, Any]:
    found = answer.json()
    assert isinstance(found, dict)
    return found


def serve(
    host: AttestationHost, talk: Callable[[httpx.AsyncClient], Awaitable[T]], seconds: float = 30
) -> T:
    """Talks to the service as long as it runs."""

    async def session() -> T:
        app = service.create_app(host, cpp_guests(), limits=Limits(seconds=seconds))
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://service") as client,
        ):
            return await talk(client)

    return asyncio.run(session())


@pytest.mark.parametrize("name", ["cpp-trainer", "cpp-trainer-component"])
def test_a_guest_runs_and_the_token_says_what_came_of_it(
    host: AttestationHost, name: str, tmp_path: Path
) -> None:
    async def order(client: httpx.AsyncClient) -> dict[str, Any]:
        body = {"args": ["--allow-simulated"], "nonce": NONCE}
        answer = await client.post(f"/guests/{name}/runs", json=body)
        return members(answer)

    answer = serve(host, order)
    assert (answer["exit_code"], answer["ended"], answer["stderr"]) == (0, "exit", "")
    assert answer["stdout"].endswith("trained: 99.0 % of 200 points\n")
    assert answer["calls"] == {
        **dict.fromkeys(("detect-tee", "attest-vm", "attest-gpu"), 1),
        "verify-token": 2,
    }
    root = tmp_path / "root.pem"
    root.write_bytes(host.simulated_root)
    verified = run(
        *("verify", "-", "--trust", root, "--nonce", NONCE, "--json"),
        stdin=answer["token"].encode(),
    )
    assert verified.code == 0, verified.err
    claims = json.loads(verified.out)["claims"]["token"]
    written = hashlib.sha256(answer["stdout"].encode()).digest()
    assert claims["user_data"] == base64.urlsafe_b64encode(written).decode().rstrip("=")
    wasm = (cpp_guests() / f"{name}.wasm").read_bytes()
    assert json.loads(verified.out)["claims"]["guest_digest"] == hashlib.sha256(wasm).hexdigest()


def test_an_uploaded_guest_stops_at_its_limit_while_others_are_served(
    host: AttestationHost,
) -> None:
    finished: list[str] = []

    async def upload(client: httpx.AsyncClient) -> dict[str, Any]:
        answer = await client.post("/runs", content=ENDLESS)
        finished.append("guest")
        return members(answer)

    async def both(client: httpx.AsyncClient) -> dict[str, Any]:
        running = asyncio.create_task(upload(client))
        await asyncio.sleep(0.3)
        assert (await client.post("/challenges")).status_code == 200
        finished.append("challenge")
        return await running

    answer = serve(host, both, seconds=2)
    assert (answer["exit_code"], answer["ended"], answer["token"]) == (124, "limit", None)
    assert finished == ["challenge", "guest"]


def test_no_more_guests_at_once_than_the_machine_can_run(
    host: AttestationHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "AT_ONCE", 1)

    async def two(client: httpx.AsyncClient) -> list[int]:
        posts = (client.post("/runs", content=ENDLESS) for _ in range(2))
        return sorted(answer.status_code for answer in await asyncio.gather(*posts))

    assert serve(host, two, seconds=1) == [200, 503]


def test_a_client_that_goes_away_stops_its_guest(
    host: AttestationHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a server tells it: the request's body, and then that the client is gone."""
    monkeypatch.setattr(service, "AT_ONCE", 1)
    scope = {"type": "http", "method": "POST", "path": "/runs", "query_string": b"", "headers": []}
    said: list[Any] = []

    async def abandon(app: FastAPI) -> None:
        told = iter(({"type": "http.request", "body": ENDLESS}, {"type": "http.disconnect"}))

        async def receive() -> Any:  # noqa: ANN401
            await asyncio.sleep(0.1)
            return next(told)

        async def send(message: Any) -> None:  # noqa: ANN401
            said.append(message)

        await app(scope, receive, send)

    async def both() -> int:
        app = service.create_app(host, cpp_guests(), limits=Limits(seconds=30))
        await asyncio.wait_for(abandon(app), 10)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            return (await client.post("/runs", content=b"no guest")).status_code

    assert asyncio.run(both()) == 400
    assert said[0]["status"] == 499


def test_a_token_answers_a_challenge_once(host: AttestationHost) -> None:
    async def answers(client: httpx.AsyncClient) -> list[tuple[int, Any]]:
        nonce = (await client.post("/challenges")).json()["nonce"]
        token = host.attest(TargetVm(), Challenge(nonce=bytes.fromhex(nonce))).token
        body = {"token": token, "nonce": nonce}
        posts = [await client.post("/tokens", json=body) for _ in range(2)]
        return [(answer.status_code, answer.json()) for answer in posts]

    (accepted, verdict), (again, reason) = serve(host, answers)
    assert (accepted, verdict["tee_type"], verdict["status"]) == (200, "simulated", "warning")
    assert (again, reason["detail"][:24]) == (409, "no such challenge is ope")


def test_what_is_wrong_with_a_token_decides_the_status(host: AttestationHost) -> None:
    """A token for another challenge, one of another host's, and no token at all."""

    def of(host: AttestationHost, nonce: bytes) -> str:
        return host.attest(TargetVm(), Challenge(nonce=nonce)).token

    wrong: list[Callable[[bytes], str]] = [
        lambda _: of(host, bytes(32)),
        lambda nonce: of(AttestationHost(tee="simulated"), nonce),
        lambda _: "no token",
    ]

    async def answers(client: httpx.AsyncClient) -> list[tuple[int, str, str]]:
        found = []
        for make in wrong:
            nonce = (await client.post("/challenges")).json()["nonce"]
            body = {"token": make(bytes.fromhex(nonce)), "nonce": nonce}
            answer = await client.post("/tokens", json=body)
            said = members(answer)
            found.append((answer.status_code, said["case"], said["detail"]))
        return found

    other_nonce, other_host, none = serve(host, answers)
    assert other_nonce[:2] == other_host[:2] == none[:2] == (422, "rejected")
    assert other_nonce[2].startswith("token.nonce: ")
    assert other_host[2].startswith("amd.ark: ")
    assert none[2].startswith("token.format: ")


def test_what_is_no_guest(host: AttestationHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "LARGEST_GUEST", 1000)

    async def answers(client: httpx.AsyncClient) -> list[int]:
        posts = (
            client.post("/guests/nobody/runs", json={}),
            client.post("/guests/cpp-trainer/runs", json={"nonce": "short"}),
            client.post("/runs", content=b"no guest"),
            client.post("/runs", content=bytes(1001)),
        )
        return [(await post).status_code for post in posts]

    assert serve(host, answers) == [404, 422, 400, 413]


def test_challenges_end() -> None:
    now = 0.0
    challenges = Challenges(lambda: now)
    first, second = challenges.issue(), challenges.issue()
    assert len(first) == 32
    assert first != second
    assert challenges.redeem(first)
    assert not challenges.redeem(first)
    now = 121.0
    assert not challenges.redeem(second)
    assert not challenges.redeem(bytes(32))


def test_only_so_many_challenges_are_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("examples.fastapi.challenges.MOST", 2)
    challenges = Challenges()
    first, *others = (challenges.issue() for _ in range(3))
    assert not challenges.redeem(first)
    assert all(challenges.redeem(nonce) for nonce in others)
