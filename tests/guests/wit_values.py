"""Property-based values of the canonical ABI's forms."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from wasmtime_attestation_bindgen.kinds import Primitive

from tests.guests.canonical_types import Bits, Cases, Form, Listing, Members, size

MOST_ELEMENTS = 4
Values = st.SearchStrategy[Any]

_OTHERS: dict[Primitive, Values] = {
    Primitive.BOOL: st.booleans(),
    Primitive.CHAR: st.characters(exclude_categories=["Cs"]),
    Primitive.STRING: st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    Primitive.F32: st.floats(width=32, allow_nan=False),
    Primitive.F64: st.floats(allow_nan=False),
}


def values(form: Form) -> Values:
    """Returns a strategy for the values of a form."""
    match form:
        case Primitive():
            return _OTHERS[form] if form in _OTHERS else _integers(form)
        case Listing(element):
            return st.lists(values(element), max_size=MOST_ELEMENTS)
        case Members(forms):
            return st.tuples(*map(values, forms))
        case Cases(cases):
            return st.one_of([st.tuples(st.just(label), _payload(p)) for label, p in cases])
        case Bits(labels):
            return st.frozensets(st.sampled_from(labels))


def _integers(form: Primitive) -> Values:
    bits = 8 * size(form)
    low = -(1 << bits - 1) if form.value.startswith("s") else 0
    return st.integers(low, low + (1 << bits) - 1)


def _payload(form: Form | None) -> Values:
    return st.none() if form is None else values(form)
