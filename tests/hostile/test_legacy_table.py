"""Each function of the legacy ABI with each pointer, length and number that may hurt.

What must happen is computed here from the ABI's rule alone: a buffer is in memory or the answer
is 0 and nobody was asked; one of more than a mebibyte is an invalid argument.
"""

from __future__ import annotations

from operator import attrgetter

import pytest
from wasmtime import Config
from wasmtime_attestation import wit

from tests.hostile.edges import FUNCTIONS, MAX_READ, SIGN, U32, Function, edges, pairs, signed
from tests.world.core_guest import PAGE, PARAMETERS, CoreGuest, forwarder
from tests.world.scripted_world import TOKEN, ScriptedWorld

pytestmark = pytest.mark.usefixtures("either_path")

GOOD = {
    "verify_token": [b"token"],
    "attest": [b'{"case":"vm"}', b'{"nonce":"AAAAAAAAAAA"}'],
    "verify": [b"token", b"{}"],
}
"""What each function takes, a buffer a parameter."""
BUFFERS = [
    (FUNCTIONS[name], place) for name, buffers in GOOD.items() for place in range(len(buffers))
]
NAME = attrgetter("name")
ANSWERS = [f for f in FUNCTIONS.values() if f.buffers and f.answers]
AT = 4096
"""Where the good buffers are."""
FIXED = f"""
(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const {AT + 1024}))
"""
MEMORIES = {
    "one page": '(memory (export "memory") 1)',
    "more than an argument": '(memory (export "memory") 18)',
    "just below the sign": '(memory (export "memory") 32767)',
    "two gibibytes": '(memory (export "memory") 32768)',
    "all but a page": '(memory (export "memory") 65535)',
    "four gibibytes": '(memory (export "memory") 65536)',
    "the second of two": '(memory 3) (memory (export "memory") 1) (memory 5)',
}


def test_the_table_has_every_function() -> None:
    counts = {f.name: f.scalars + 2 * f.buffers for f in FUNCTIONS.values()}
    assert counts == {**PARAMETERS, "clear_cache": 0}
    assert {f.name: f.buffers for f in FUNCTIONS.values() if f.buffers} == {
        name: len(buffers) for name, buffers in GOOD.items()
    }


@pytest.mark.parametrize("memory", MEMORIES.values(), ids=MEMORIES.keys())
@pytest.mark.parametrize(("function", "place"), BUFFERS, ids=lambda x: getattr(x, "name", x))
def test_each_pointer_with_each_length(memory: str, function: Function, place: int) -> None:
    world = ScriptedWorld()
    guest = CoreGuest(forwarder(memory, FIXED), world)
    arguments, size = given(guest, function), guest.size
    for pointer, length in pairs(size):
        world.calls.clear()
        arguments[2 * place : 2 * place + 2] = signed(pointer), signed(length)
        result, case = guest.call(function.name, *arguments), f"{pointer:#x}, {length:#x}"
        if pointer + length > size:
            assert (result, world.calls) == (0, []), case
        elif length > MAX_READ:
            assert world.calls == [], case
            assert not function.answers or b"invalid-argument" in guest.bytes_at(result), case
        elif function.answers:
            assert result == AT + 1024, case
        else:
            assert world.calls == asked(guest, pointer, length), case
    assert guest.size == size
    # Nothing but the arguments and the place of the answer was written to.
    assert not any(guest.memory.read(guest.store, 0, AT))
    assert not any(guest.memory.read(guest.store, AT + 2048, min(size, 4 * PAGE)))


def given(guest: CoreGuest, function: Function, at: int = AT) -> list[int]:
    """Writes good arguments one after the other; returns their pointers and lengths."""
    arguments: list[int] = []
    for buffer in GOOD[function.name]:
        arguments += guest.write(at + sum(arguments[1::2]), buffer)
    return arguments


def asked(guest: CoreGuest, pointer: int, length: int) -> list[tuple[object, ...]]:
    """Returns what the world must have been asked about the token that is in memory."""
    data = bytes(guest.memory.read(guest.store, pointer, pointer + length)) if length else b""
    return [("verify_token", data.decode())]


@pytest.mark.parametrize("function", ANSWERS, ids=NAME)
def test_every_buffer_lies_at_once(function: Function) -> None:
    world = ScriptedWorld()
    guest = CoreGuest(forwarder(rest=FIXED), world)
    for pointer, length in pairs(PAGE):
        result = guest.call(function.name, *[signed(pointer), signed(length)] * function.buffers)
        assert (result == 0) is (pointer + length > PAGE), (pointer, length)
    assert not [call for call in world.calls if call[0] == "attest"]


def test_numbers() -> None:
    world = ScriptedWorld()
    guest = CoreGuest(forwarder(), world)
    for number in edges(PAGE):
        guest.answer("attest_gpu", signed(number))
    assert world.calls == [("attest_gpu", number) for number in edges(PAGE)]


@pytest.mark.parametrize("name", GOOD)
def test_arguments_of_an_empty_memory(name: str) -> None:
    world = ScriptedWorld(accepted="")
    guest = CoreGuest(forwarder('(memory (export "memory") 0)', rest=""), world)
    buffers = FUNCTIONS[name].buffers
    for pointer, length in [(0, 1), (1, 0), (-1, 1), (0, -1), (-SIGN, -SIGN)]:
        assert guest.call(name, *[pointer, length] * buffers) == 0
    assert (world.calls, guest.size) == ([], 0)
    assert guest.call(name, *[0, 0] * buffers) != 0


def test_an_argument_is_checked_against_memory_as_it_is_now() -> None:
    grow = '(func (export "grow") (result i32) (memory.grow (i32.const 1)))'
    config = Config()
    config.memory_reservation = config.memory_reservation_for_growth = 0
    config.memory_guard_size = 0
    guest = CoreGuest(forwarder(rest=FIXED + grow), ScriptedWorld(accepted="\0"), config=config)
    for pages in range(1, 20):
        end = pages * PAGE
        assert guest.call("verify_token", end - 1, 1) == 1
        assert guest.call("verify_token", end - 1, 2) == 0
        assert guest.call("grow") == pages
        assert guest.call("verify_token", end, 1) == 1


@pytest.mark.parametrize("function", ANSWERS, ids=NAME)
@pytest.mark.parametrize("offset", [0, 1, 4, 5, 12, 30])
def test_an_answer_that_overwrites_its_question(function: Function, offset: int) -> None:
    """`cabi_realloc` returns an address within the arguments: they were read before."""
    at = f'(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const {AT}))'
    world = ScriptedWorld()
    guest = CoreGuest(forwarder(rest=at.replace(str(AT), str(AT + offset))), world)
    answer = guest.answer(function.name, *given(guest, function))
    assert answer.get("success", "ok" in answer)
    assert world.calls == EXPECTED[function.name]


EXPECTED: dict[str, list[tuple[object, ...]]] = {
    "attest": [("attest", wit.TargetVm(), wit.Challenge(bytes(8), None, None))],
    "verify": [("verify", "token", wit.Expectations())],
}


@pytest.mark.parametrize("function", ANSWERS, ids=NAME)
def test_a_question_within_the_last_answer(function: Function) -> None:
    """In the host's own region too, what a guest wrote there last is what it asks."""
    world = ScriptedWorld()
    guest = CoreGuest(forwarder(rest=""), world)
    region = guest.call("detect_tee")
    for offset in (0, 2, 4):
        world.calls.clear()
        arguments = given(guest, function, region + offset)
        assert guest.call(function.name, *arguments) == region
        assert world.calls == EXPECTED[function.name]


def test_a_token_is_verified_where_the_host_put_it() -> None:
    guest = CoreGuest(forwarder(rest=""), ScriptedWorld())
    address = guest.call("attest_vm")
    data = guest.bytes_at(address)
    start = address + 4 + data.index(TOKEN.encode())
    assert guest.call("verify_token", start, len(TOKEN)) == 1
    assert guest.call("verify_token", start, signed(U32 - start)) == 0
    assert guest.bytes_at(address) == data
