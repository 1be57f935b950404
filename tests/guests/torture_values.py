"""Values of every type of the torture world, as wasmtime-py has them."""

from __future__ import annotations

import math
import struct
from typing import Any, TypeAlias

from hypothesis import strategies as st
from wasmtime.component import Record, Variant

Value: TypeAlias = Any
Values: TypeAlias = st.SearchStrategy[Value]


def integers(bits: int, *, signed: bool) -> Values:
    if signed:
        return st.integers(-(1 << bits - 1), (1 << bits - 1) - 1)
    return st.integers(0, (1 << bits) - 1)


U8, S8 = integers(8, signed=False), integers(8, signed=True)
U16, S16 = integers(16, signed=False), integers(16, signed=True)
U32, S32 = integers(32, signed=False), integers(32, signed=True)
U64, S64 = integers(64, signed=False), integers(64, signed=True)
F32, F64 = st.floats(width=32), st.floats()
CHAR = st.characters(exclude_categories=["Cs"])
STRING = st.text(CHAR, max_size=20)
BYTES = st.binary(max_size=40)


def lists(element: Values) -> Values:
    return st.lists(element, max_size=4)


def record(**fields: Values) -> Values:
    def build(values: dict[str, Value]) -> Record:
        made = Record()
        for name, value in values.items():
            setattr(made, name.replace("_", "-"), value)
        return made

    return st.fixed_dictionaries(fields).map(build)


def case(tag: str, payload: Values | None = None) -> Values:
    return st.just(Variant(tag)) if payload is None else payload.map(lambda v: Variant(tag, v))


COLOUR = st.sampled_from(["red", "green", "blue-green"])
ACCESS = st.sets(st.sampled_from(["read", "write", "execute", "list"]))
DAYS = st.sets(st.sampled_from([f"d{n}" for n in range(9)]))
POINT = record(x=S32, y=S32)
SCALARS = record(
    a=st.booleans(),
    b=U8,
    c=U16,
    d=U32,
    e=U64,
    f=S8,
    g=S16,
    h=S32,
    i=S64,
    j=F32,
    k=F64,
    l=CHAR,
    m=STRING,
)
RECORD = record(
    type=STRING,
    self=st.none() | STRING,
    points=lists(POINT),
    nested=st.tuples(U8, st.tuples(U64, STRING), st.booleans()),
    access=ACCESS,
    colour=COLOUR,
)
SHAPELESS = st.none() | STRING
SHAPE = st.one_of(
    case("empty"),
    case("byte", U8),
    case("long", S64),
    case("single", F32),
    case("double", F64),
    case("text", STRING),
    case("position", POINT),
    case("many", lists(SHAPELESS)),
    case("perhaps", st.none() | U64),
    case("outcome", case("ok", STRING) | case("err", COLOUR)),
)

ONE_VALUE: dict[str, Values] = {
    "scalar-bool": st.booleans(),
    "scalar-u8": U8,
    "scalar-s8": S8,
    "scalar-u16": U16,
    "scalar-s16": S16,
    "scalar-u32": U32,
    "scalar-s32": S32,
    "scalar-u64": U64,
    "scalar-s64": S64,
    "scalar-f32": F32,
    "scalar-f64": F64,
    "scalar-char": CHAR,
    "text": STRING,
    "bytes": BYTES,
    "numbers": lists(U32),
    "longs": lists(S64),
    "texts": lists(STRING),
    "nested-lists": lists(lists(BYTES)),
    "all-scalars": SCALARS,
    "rich": RECORD,
    "many-rich": lists(RECORD),
    "enumeration": COLOUR,
    "permissions": ACCESS,
    "nine-flags": DAYS,
    "any-shape": SHAPE,
    "shapes": lists(SHAPE),
    "maybe-text": st.none() | STRING,
    "maybe-bytes": st.none() | BYTES,
    "maybe-number": st.none() | U64,
    "pair": st.tuples(STRING, U64),
    "aliased": lists(POINT),
    "fallible": U64 | SHAPE,
}
"""The functions that return what they are given."""

SPILLED = st.tuples(SCALARS, STRING, lists(STRING), SHAPE, U8)
SEVENTEEN = st.tuples(
    U8, S8, U16, S16, U32, S32, U64, S64, F32, F64, CHAR, st.booleans(), U8, U8, U8, U8, U64
)


def plain(value: object) -> object:
    """A value that compares as WebAssembly's do: every NaN is one, and -0 is not 0."""
    match value:
        case float():
            return "NaN" if math.isnan(value) else struct.pack("<d", value)
        case list() | tuple() | bytes():
            return [plain(item) for item in value]
        case Record():
            return {name: plain(item) for name, item in vars(value).items()}
        case Variant():
            return "case", value.tag, plain(value.payload)
        case _:
            return value
