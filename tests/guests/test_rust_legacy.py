"""Every type through a Rust guest of the legacy ABI, with Python's own JSON as the other side."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wasmtime import Caller, Engine, Func, Linker, Memory, Module, Store, Trap

from tests.guests import rust_torture

HERE = Path(__file__).parent
Json: TypeAlias = Any
Strategy: TypeAlias = st.SearchStrategy[Json]

STRING = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
BYTES = st.binary(max_size=12).map(lambda b: base64.urlsafe_b64encode(b).decode().rstrip("="))
S32 = st.integers(-(2**31), 2**31 - 1)
SPECIAL = st.sampled_from(["NaN", "Infinity", "-Infinity"])
F64 = st.floats(allow_nan=False, allow_infinity=False) | SPECIAL
F32 = st.sampled_from([0.0, -0.5, 1.5, 3e38]) | SPECIAL


def long(low: int, high: int) -> Strategy:
    return st.integers(low, high).map(lambda n: n if abs(n) <= 2**53 else str(n))


U64, S64 = long(0, 2**64 - 1), long(-(2**63), 2**63 - 1)
COLOUR = st.sampled_from(["red", "green", "blue-green"])
ACCESS = st.sets(st.sampled_from(range(4))).map(
    lambda s: [name for n, name in enumerate(["read", "write", "execute", "list"]) if n in s]
)
DAYS = st.sets(st.integers(0, 8)).map(lambda s: [f"d{n}" for n in sorted(s)])
POINT = st.fixed_dictionaries({"x": S32, "y": S32})
RICH = st.fixed_dictionaries(
    {
        "type": STRING,
        "self": st.none() | STRING,
        "points": st.lists(POINT, max_size=3),
        "nested": st.tuples(
            st.integers(0, 255), st.tuples(U64, STRING).map(list), st.booleans()
        ).map(list),
        "access": ACCESS,
        "colour": COLOUR,
    }
)


def case(name: str, payload: Strategy | None = None) -> Strategy:
    if payload is None:
        return st.just({"case": name})
    return st.fixed_dictionaries({"case": st.just(name), "value": payload})


def result(ok: Strategy, err: Strategy) -> Strategy:
    return st.fixed_dictionaries({"ok": ok}) | st.fixed_dictionaries({"err": err})


SHAPE = st.one_of(
    case("empty"),
    case("byte", st.integers(0, 255)),
    case("long", S64),
    case("single", F32),
    case("double", F64),
    case("text", STRING),
    case("position", POINT),
    case("many", st.lists(case("nothing") | case("named", STRING), max_size=3)),
    case("perhaps", st.none() | U64),
    case("outcome", result(STRING, COLOUR)),
)

ANSWERS: dict[str, Strategy] = {
    "scalar_char": st.characters(exclude_categories=["Cs"]),
    "text": STRING,
    "bytes": BYTES,
    "numbers": st.lists(st.integers(0, 2**32 - 1), max_size=4),
    "longs": st.lists(S64, max_size=4),
    "texts": st.lists(STRING, max_size=4),
    "nested_lists": st.lists(st.lists(BYTES, max_size=3), max_size=3),
    "many_rich": st.lists(RICH, max_size=2),
    "permissions": ACCESS,
    "nine_flags": DAYS,
    "any_shape": SHAPE,
    "shapes": st.lists(SHAPE, max_size=3),
    "maybe_text": st.none() | STRING,
    "maybe_bytes": st.none() | BYTES,
    "maybe_number": st.none() | U64,
    "pair": st.tuples(STRING, U64).map(list),
    "aliased": st.lists(POINT, max_size=3),
    "fallible": result(U64, SHAPE),
}
RAW = ("text", "maybe_text")
OCTETS = ("bytes", "maybe_bytes")


class Guest:
    """The guest, and a host that answers with given JSON and remembers the arguments.

    Attributes:
        answer: what every function returns.
        seen: the arguments of each call.
        own_region: place answers in memory that the guest did not allocate.
    """

    def __init__(self, engine: Engine, module: Module) -> None:
        self.answer: bytes | int = b""
        self.seen: list[tuple[float, ...]] = []
        self.texts: list[bytes] = []
        self.own_region = False
        self._store = Store(engine)
        linker = Linker(engine)
        for item in module.imports:
            assert item.module == "wasmtime_attestation"
            linker.define_func(item.module, str(item.name), item.type, self._call, True)  # type: ignore[arg-type]  # noqa: FBT003
        self._exports = linker.instantiate(self._store, module).exports(self._store)

    def call(self, name: str, *arguments: int) -> Json:
        self.seen, self.texts = [], []
        function = self._exports[name]
        assert isinstance(function, Func)
        return function(self._store, *arguments)

    def _call(self, caller: Caller, *arguments: float) -> int:
        self.seen.append(arguments)
        memory = caller["memory"]
        assert isinstance(memory, Memory)
        if len(arguments) == 2:
            pointer, length = int(arguments[0]), int(arguments[1])
            self.texts.append(bytes(memory.read(caller, pointer, pointer + length)))
        if isinstance(self.answer, int):
            return self.answer
        return self._place(caller, memory, len(self.answer).to_bytes(4, "little") + self.answer)

    def _place(self, caller: Caller, memory: Memory, data: bytes) -> int:
        if self.own_region:
            at = memory.size(caller) * 65536
            memory.grow(caller, 1)
        else:
            realloc = caller["cabi_realloc"]
            assert isinstance(realloc, Func)
            at = realloc(caller, 0, 0, 1, len(data))
        memory.write(caller, data, at)
        return at


@pytest.fixture(scope="module")
def guest() -> Guest:
    source = HERE / "torture" / "rust-legacy"
    wit = HERE / "torture" / "wit"
    built = rust_torture.build(source, wit, "legacy-torture", ["legacy"])
    engine = Engine()
    return Guest(engine, Module(engine, built.read_bytes()))


@pytest.mark.parametrize("name", ANSWERS)
def test_answer_becomes_the_argument(guest: Guest, name: str) -> None:
    @settings(max_examples=25)
    @given(ANSWERS[name], st.booleans())
    def check(value: Json, ascii_only: bool) -> None:
        guest.answer = json.dumps(value, ensure_ascii=ascii_only).encode()
        guest.call(f"twice_{name}")
        assert argument(name, guest) == value

    check()


def argument(name: str, guest: Guest) -> Json:
    """Returns what the guest passed the second time, as JSON has it."""
    pointer, _ = guest.seen[-1]
    text = guest.texts[-1]
    if name.startswith("maybe_") and name != "maybe_number" and pointer == 0:
        return None
    if name in OCTETS:
        return base64.urlsafe_b64encode(text).decode().rstrip("=")
    return text.decode() if name in RAW else json.loads(text)


@pytest.mark.parametrize("number", [0, 1, 2**53 + 1, 2**64 - 1])
def test_long_integers_are_core_values(guest: Guest, number: int) -> None:
    guest.answer = number - (1 << 64) if number >= 1 << 63 else number
    assert guest.call("echo_u64", guest.answer) == guest.answer
    assert guest.seen == [(guest.answer,)]


@pytest.mark.parametrize("number", [-128, -1, 0, 127])
def test_short_integers_keep_their_sign(guest: Guest, number: int) -> None:
    guest.answer = number
    assert guest.call("echo_s8", number) == number
    assert guest.seen == [(number,)]


@pytest.mark.parametrize(("text", "ok"), [(b'{"ok":null}', 1), (b'{"err":null}', 0)])
def test_result_without_payloads(guest: Guest, text: bytes, ok: int) -> None:
    guest.answer = text
    assert guest.call("is_ok", 1) == ok


def test_host_may_answer_from_its_own_region(guest: Guest) -> None:
    guest.own_region, guest.answer = True, b'["a","b"]'
    try:
        for _ in range(3):
            guest.call("twice_texts")
        assert guest.texts[-1] == b'["a","b"]'
    finally:
        guest.own_region = False


def test_answers_are_freed(guest: Guest) -> None:
    """Two thousand answers of 64 KiB fit in the memory that a few need."""
    guest.answer = json.dumps(["x" * 65_536]).encode()
    guest.call("twice_texts")
    memory = guest._exports["memory"]
    assert isinstance(memory, Memory)
    before = memory.size(guest._store)
    for _ in range(1000):
        guest.call("twice_texts")
    assert memory.size(guest._store) == before


NOT_AN_ANSWER = [
    b"",
    b"nul",
    b"[",
    b"[1,]",
    b"[01]",
    b'["a" "b"]',
    b'["\\ud800"]',
    b'["\\x"]',
    b'["\n"]',
    b'["\xff"]',
    b"[1]",
    b'{"a":[]}',
    b"[]]",
    b"[" * 100_000,
    b'["a"],',
]


@pytest.mark.parametrize("answer", NOT_AN_ANSWER)
def test_what_is_no_answer_ends_the_guest(guest: Guest, answer: bytes) -> None:
    guest.answer = answer
    with pytest.raises(Trap):
        guest.call("twice_texts")


@pytest.mark.parametrize("address", [0, -1, -4, 0x7FFF_FFFF])
def test_bad_address_ends_the_guest(guest: Guest, address: int) -> None:
    guest.answer = address
    with pytest.raises(Trap):
        guest.call("twice_texts")


def test_answer_longer_than_memory_ends_the_guest(guest: Guest) -> None:
    guest.answer = 16
    with pytest.raises(Trap):
        guest.call("twice_texts")


def test_members_that_are_unknown_are_ignored(guest: Guest) -> None:
    guest.answer = b' { "case" : "position" , "new" : [ {} ], "value":{"x":1,"y":2,"z":3}} '
    guest.call("twice_any_shape")
    assert json.loads(guest.texts[-1]) == {"case": "position", "value": {"x": 1, "y": 2}}


@pytest.mark.parametrize(
    "answer", [b'{"case":"other"}', b'{"case":"byte","value":256}', b'{"case":"byte"}', b"{}"]
)
def test_unknown_case_or_bad_payload_ends_the_guest(guest: Guest, answer: bytes) -> None:
    guest.answer = answer
    with pytest.raises(Trap):
        guest.call("twice_any_shape")
