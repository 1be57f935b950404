"""What is too long for Rust, found before anything is written, so that errors name the item."""

from __future__ import annotations

from wasmtime_attestation_bindgen.errors import WitError
from wasmtime_attestation_bindgen.kinds import (
    FixedLengthList,
    Kind,
    Primitive,
    Tuple,
    Type,
    references,
)
from wasmtime_attestation_bindgen.model import Resolve
from wasmtime_attestation_bindgen.source import Span
from wasmtime_attestation_bindgen.surface import Surface

MOST_MEMBERS = 12
"""Of a tuple; Rust itself compares and prints no longer ones."""
LARGEST_ARRAY = 1 << 16
"""Elements of a fixed-length list, which lives on the stack."""


def check_limits(resolve: Resolve, world: Surface) -> None:
    """Checks that Rust has a form for every type of a world.

    Args:
        resolve: the model.
        world: the world.

    Raises:
        WitError: a tuple or a list of fixed length is too long; it names what mentions it.
    """
    seen: set[Type] = set()
    for instance in (*world.imports, *world.exports):
        for named, id_ in instance.types.items():
            what = f"type `{named}` of `{instance.module}`"
            _check(resolve, id_, what, resolve.types[id_].span, seen)
        for function in instance.functions:
            what = f"function `{function.name}` of `{instance.module}`"
            result = () if function.result is None else (function.result,)
            for type_ in (*(param.type for param in function.params), *result):
                _check(resolve, type_, what, function.span, seen)


def _check(resolve: Resolve, type_: Type, what: str, span: Span | None, seen: set[Type]) -> None:
    if isinstance(type_, Primitive) or type_ in seen:
        return
    seen.add(type_)
    kind = resolve.types[type_].kind
    _check_length(kind, what, span)
    for inner in references(kind):
        _check(resolve, inner, what, span, seen)


def _check_length(kind: Kind, what: str, span: Span | None) -> None:
    match kind:
        case Tuple(types) if len(types) > MOST_MEMBERS:
            raise WitError(
                f"{what} has a tuple of {len(types)} members, where Rust takes {MOST_MEMBERS}",
                span,
                help="make it a record",
            )
        case FixedLengthList(_, length) if length > LARGEST_ARRAY:
            raise WitError(
                f"{what} has a list of the fixed length {length}, too long for Rust's stack",
                span,
                help=f"use at most {LARGEST_ARRAY} elements, or a list without a fixed length",
            )
        case _:
            pass
