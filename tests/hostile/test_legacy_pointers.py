"""Pointers and lengths that lie: the guest gets 0, the host goes on."""

from __future__ import annotations

import pytest
from wasmtime_attestation import wit

from tests.world.core_guest import PAGE, CoreGuest, forwarder
from tests.world.scripted_world import TOKEN, ScriptedWorld

pytestmark = pytest.mark.usefixtures("either_path")

OUT_OF_BOUNDS = [
    pytest.param(PAGE, 1, id="one past the end"),
    pytest.param(PAGE - 1, 2, id="across the end"),
    pytest.param(PAGE + 1, 0, id="nothing, but past the end"),
    pytest.param(0, PAGE + 1, id="more than memory"),
    pytest.param(0, -1, id="4 GiB from the start"),
    pytest.param(PAGE, -1, id="4 GiB from the end"),
    pytest.param(1, -1, id="4 GiB that wrap around"),
    pytest.param(-1, 1, id="the last address"),
    pytest.param(-1, -1, id="both the largest"),
    pytest.param(-(2**31), 0, id="the smallest signed address"),
    pytest.param(-PAGE, PAGE, id="an end that wraps to 0"),
]


@pytest.fixture
def world() -> ScriptedWorld:
    return ScriptedWorld()


@pytest.fixture
def guest(world: ScriptedWorld) -> CoreGuest:
    return CoreGuest(forwarder(), world)


def goes_on(guest: CoreGuest) -> bool:
    token = guest.write(0, TOKEN.encode())
    return guest.call("verify_token", *token) == 1 and guest.answer("attest_vm")["token"] == TOKEN


@pytest.mark.parametrize(("pointer", "length"), OUT_OF_BOUNDS)
def test_token_out_of_bounds(
    guest: CoreGuest, world: ScriptedWorld, pointer: int, length: int
) -> None:
    assert guest.call("verify_token", pointer, length) == 0
    assert world.calls == []
    assert goes_on(guest)


@pytest.mark.parametrize("name", ["attest", "verify"])
@pytest.mark.parametrize("position", [0, 2])
@pytest.mark.parametrize(("pointer", "length"), OUT_OF_BOUNDS)
def test_parameter_out_of_bounds(
    guest: CoreGuest, world: ScriptedWorld, name: str, position: int, pointer: int, length: int
) -> None:
    arguments = [0, 2, 0, 2]
    arguments[position : position + 2] = pointer, length
    assert guest.call(name, *arguments) == 0
    assert world.calls == []
    assert goes_on(guest)


@pytest.mark.parametrize("pointer", [0, 1, PAGE])
def test_nothing_at_all_is_an_empty_token(
    guest: CoreGuest, world: ScriptedWorld, pointer: int
) -> None:
    world.accepted = ""
    assert guest.call("verify_token", pointer, 0) == 1


def test_last_bytes_of_memory(guest: CoreGuest, world: ScriptedWorld) -> None:
    world.accepted = "end"
    assert guest.call("verify_token", *guest.write(PAGE - 3, b"end")) == 1


@pytest.mark.parametrize(
    "data", [b"\xff", b"a\xc3", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf5\x80\x80\x80"]
)
def test_token_that_is_not_utf8(guest: CoreGuest, world: ScriptedWorld, data: bytes) -> None:
    token = guest.write(0, data)
    assert guest.call("verify_token", *token) == 0
    assert world.calls == []
    answer = guest.answer("verify", *token, *guest.write(100, b"{}"))
    assert isinstance(answer["err"], dict)
    assert answer["err"]["case"] == "invalid-argument"
    assert "UTF-8" in answer["err"]["value"]
    assert goes_on(guest)


def test_parameter_that_is_not_utf8(guest: CoreGuest) -> None:
    answer = guest.answer("attest", *guest.write(0, b'{"case":"\xff"}'), 0, 0)
    assert (answer["success"], answer["error_code"]) == (False, "invalid-argument")
    assert goes_on(guest)


def test_buffers_that_overlap(guest: CoreGuest, world: ScriptedWorld) -> None:
    """The bytes are only read, so each buffer means what it holds."""
    same = guest.write(0, b"{}")
    guest.answer("verify", *same, *same)
    assert world.calls == [("verify", "{}", wit.Expectations())]
    start, length = guest.write(0, b'{"case":"vm"}')
    answer = guest.answer("attest", start, length, start + 5, length - 5)
    assert answer["error_code"] == "invalid-argument"
    assert goes_on(guest)


def test_quotes_in_a_key_do_not_leave_the_error(guest: CoreGuest) -> None:
    target = guest.write(0, b'{"\\",\\"success\\":true,\\n":1}')
    answer = guest.answer("attest", *target, *guest.write(100, b"{}"))
    assert list(answer) == ["success", "token", "evidence", "error", "timestamp", "error_code"]
    assert answer["success"] is False
    assert '"' not in str(answer["error"])


def test_memory_that_holds_json_bombs() -> None:
    guest = CoreGuest(forwarder('(memory (export "memory") 17)'), ScriptedWorld())
    vm = guest.write(0, b'{"case":"vm"}')
    for bomb in (b"[" * 2**20, b"9" * 2**20, b'{"nonce":"' + b"A" * 60_000 + b'"'):
        answer = guest.answer("attest", *vm, *guest.write(PAGE, bomb))
        assert answer["error_code"] == "invalid-argument"
    assert goes_on(guest)
