"""The host's side of the legacy torture world, in JSON, and JSON values of its types.

What is written here follows docs/legacy-abi.md by hand, type by type.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from hypothesis import strategies as st
from wasmtime import Engine, Func, FuncType, Instance, Linker, Memory, Module, Store, ValType

MODULE = "wasmtime_attestation"
Json: TypeAlias = Any

Strategy: TypeAlias = st.SearchStrategy[Json]


def integers(low: int, high: int) -> Strategy:
    """Integers; those beyond 2^53 are decimal strings."""
    return st.integers(low, high).map(lambda v: v if abs(v) <= 2**53 else str(v))


def floats(width: Literal[32, 64]) -> Strategy:
    """Floats that JSON has; those that it has not are strings."""
    names = {"inf": "Infinity", "-inf": "-Infinity"}
    drawn = st.floats(width=width, allow_nan=False)
    return st.one_of(drawn.map(lambda v: names.get(str(v), v)), st.just("NaN"))


def variant(tag: str, payload: Strategy | None = None) -> Strategy:
    """One case of a variant."""
    if payload is None:
        return st.just({"case": tag})
    return payload.map(lambda value: {"case": tag, "value": value})


def listed(element: Strategy) -> Strategy:
    """A short list."""
    return st.lists(element, max_size=4)


def flags(*labels: str) -> Strategy:
    """Some labels, in the order of the WIT."""
    return st.sets(st.sampled_from(labels)).map(lambda some: [x for x in labels if x in some])


TEXT = st.text(max_size=20)
U8, U32 = integers(0, 255), integers(0, 2**32 - 1)
S32, S64 = integers(-(2**31), 2**31 - 1), integers(-(2**63), 2**63 - 1)
U64 = integers(0, 2**64 - 1)
CHAR = st.characters(exclude_categories=["Cs"])
BYTES = st.binary(max_size=20).map(lambda data: base64.urlsafe_b64encode(data).decode().rstrip("="))
COLOUR = st.sampled_from(["red", "green", "blue-green"])
ACCESS = flags("read", "write", "execute", "list")
POINT = st.fixed_dictionaries({"x": S32, "y": S32})
SCALARS = st.fixed_dictionaries(
    {
        "a": st.booleans(),
        "b": U8,
        "c": integers(0, 2**16 - 1),
        "d": U32,
        "e": U64,
        "f": integers(-128, 127),
        "g": integers(-(2**15), 2**15 - 1),
        "h": S32,
        "i": S64,
        "j": floats(32),
        "k": floats(64),
        "l": CHAR,
        "m": TEXT,
    }
)
RECORD = st.fixed_dictionaries(
    {
        "type": TEXT,
        "self": st.none() | TEXT,
        "points": listed(POINT),
        "nested": st.tuples(U8, st.tuples(U64, TEXT).map(list), st.booleans()).map(list),
        "access": ACCESS,
        "colour": COLOUR,
    }
)
SHAPELESS = variant("nothing") | variant("named", TEXT)


def result(ok: Strategy, err: Strategy) -> Strategy:
    """Either case of a result."""
    return st.one_of(ok.map(lambda v: {"ok": v}), err.map(lambda v: {"err": v}))


SHAPE = st.one_of(
    variant("empty"),
    variant("byte", U8),
    variant("long", S64),
    variant("single", floats(32)),
    variant("double", floats(64)),
    variant("text", TEXT),
    variant("position", POINT),
    variant("many", listed(SHAPELESS)),
    variant("perhaps", st.none() | U64),
    variant("outcome", result(TEXT, COLOUR)),
)
VALUES: dict[str, Strategy] = {
    "scalar_f32": floats(32),
    "scalar_f64": floats(64),
    "scalar_char": CHAR,
    "text": TEXT,
    "bytes": BYTES,
    "numbers": listed(U32),
    "longs": listed(S64),
    "texts": listed(TEXT),
    "nested_lists": listed(listed(BYTES)),
    "all_scalars": SCALARS,
    "rich": RECORD,
    "many_rich": listed(RECORD),
    "enumeration": COLOUR,
    "permissions": ACCESS,
    "nine_flags": flags(*(f"d{i}" for i in range(9))),
    "any_shape": SHAPE,
    "shapes": listed(SHAPE),
    "maybe_text": st.none() | TEXT,
    "maybe_bytes": st.none() | BYTES,
    "maybe_number": st.none() | U64,
    "pair": st.tuples(TEXT, U64).map(list),
    "aliased": listed(POINT),
    "fallible": result(U64, SHAPE),
}
"""Values of the functions that answer in JSON."""

INTEGERS: dict[str, st.SearchStrategy[int]] = {
    "scalar_bool": st.integers(0, 1),
    "scalar_u8": st.integers(0, 255),
    "scalar_s8": st.integers(-128, 127),
    "scalar_u16": st.integers(0, 2**16 - 1),
    "scalar_s16": st.integers(-(2**15), 2**15 - 1),
    "scalar_u32": st.integers(0, 2**32 - 1),
    "scalar_s32": st.integers(-(2**31), 2**31 - 1),
    "scalar_u64": st.integers(0, 2**64 - 1),
    "scalar_s64": st.integers(-(2**63), 2**63 - 1),
}
"""Values of the functions that answer with a core value."""


@dataclass(frozen=True)
class CoreValue:
    """An answer that is no JSON but a core value."""

    number: int


class LegacyHost:
    """One instance of a guest that hands back what it gets.

    Args:
        code: the guest.

    Attributes:
        answer: what every function returns: JSON, its bytes, or a core value.
        received: the core arguments of each call, and memory's part that they mean, if any.
    """

    def __init__(self, code: bytes) -> None:
        engine = Engine()
        self.store = Store(engine)
        self.answer: Json | bytes | CoreValue = None
        self.received: list[tuple[list[float], bytes]] = []
        linker = Linker(engine)
        module = Module(engine, code)
        for item in module.imports:
            assert item.module == MODULE
            assert isinstance(item.type, FuncType)
            linker.define_func(MODULE, item.name or "", item.type, self._function(item.type))
        self._instance: Instance = linker.instantiate(self.store, module)

    def call(self, name: str) -> None:
        """Calls an export, and forgets what was received before."""
        self.received = []
        self._export(name)(self.store)

    def _function(self, type_: FuncType) -> Callable[..., int | None]:
        nothing = not type_.results

        def function(*arguments: float) -> int | None:
            data = b""
            if len(arguments) == 2 and arguments[1] > 0:
                start, length = (int(argument) % 2**32 for argument in arguments)
                data = bytes(self._memory().read(self.store, start, start + length))
            self.received.append((list(arguments), data))
            if nothing:
                return None
            if isinstance(self.answer, CoreValue):
                return _wrapped(self.answer.number, type_.results[0])
            return self._place(self.answer)

        return function

    def _place(self, answer: Json) -> int:
        text = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        address = int(self._export("cabi_realloc")(self.store, 0, 0, 1, 4 + len(text))) % 2**32
        self._memory().write(self.store, len(text).to_bytes(4, "little") + text, address)
        return address

    def _export(self, name: str) -> Func:
        found = self._instance.exports(self.store)[name]
        assert isinstance(found, Func)
        return found

    def _memory(self) -> Memory:
        memory = self._instance.exports(self.store)["memory"]
        assert isinstance(memory, Memory)
        return memory

    @property
    def size(self) -> int:
        """How large the guest's memory is, in bytes."""
        size: int = self._memory().data_len(self.store)
        return size


def _wrapped(value: int, type_: ValType) -> int:
    """Returns an unsigned number as the signed one with the same bits."""
    half: int = 2**63 if type_ == ValType.i64() else 2**31
    return (value + half) % (2 * half) - half
