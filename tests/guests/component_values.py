"""Property-based values of a component's own types, as the stock component API takes them.

The types come from the component through wasmtime, not from this project's
model, so nothing here knows the code under test.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from hypothesis import strategies as st
from wasmtime.component import (
    F32,
    F64,
    U8,
    Bool,
    Char,
    EnumType,
    FlagsType,
    ListType,
    OptionType,
    Record,
    RecordType,
    ResultType,
    String,
    TupleType,
    ValType,
    Variant,
    VariantType,
)

Value: TypeAlias = Any
"""A value as the component API takes and gives it."""
INTEGERS = {f"{sign}{bits}": bits for sign in "US" for bits in (8, 16, 32, 64)}
MOST_ELEMENTS = 4


def values(type_: ValType | None) -> st.SearchStrategy[Any]:
    """Returns a strategy for the values of a type; None for no payload."""
    name = type(type_).__name__
    if name in INTEGERS:
        low = -(2 ** (INTEGERS[name] - 1)) if name.startswith("S") else 0
        return st.integers(low, low + 2 ** INTEGERS[name] - 1)
    match type_:
        case None:
            return st.none()
        case Bool():
            return st.booleans()
        case F32():
            return st.floats(width=32, allow_nan=False)
        case F64():
            return st.floats(allow_nan=False)
        case Char():
            return st.characters(exclude_categories=["Cs"])
        case String():
            return st.text(max_size=20)
        case _:
            return _compound(type_)


def _compound(type_: ValType) -> st.SearchStrategy[Any]:
    match type_:
        case ListType():
            if isinstance(type_.element, U8):
                return st.binary(max_size=40)
            return st.lists(values(type_.element), max_size=MOST_ELEMENTS)
        case RecordType():
            return st.fixed_dictionaries({n: values(t) for n, t in type_.fields}).map(_record)
        case TupleType():
            return st.tuples(*(values(element) for element in type_.elements))
        case EnumType():
            return st.sampled_from(type_.names)
        case FlagsType():
            return st.sets(st.sampled_from(type_.names))
        case VariantType() | OptionType() | ResultType():
            return _cases(type_)
        case _:
            raise TypeError(f"no values of {type_}")


def _cases(type_: VariantType | OptionType | ResultType) -> st.SearchStrategy[Any]:
    tagged = type_._tagged()
    return st.one_of([_case(tag, payload, tagged=tagged) for tag, payload in type_._cases()])


def _case(tag: str, payload: ValType | None, *, tagged: bool) -> st.SearchStrategy[Value]:
    return values(payload).map(lambda value: Variant(tag, value)) if tagged else values(payload)


def _record(fields: dict[str, Any]) -> Record:
    record = Record()
    for name, value in fields.items():
        setattr(record, name, value)
    return record
