"""What is too long for Rust, found before anything is written, so that errors name the item."""

from __future__ import annotations

from wasmtime_attestation_bindgen.errors import WitError
from wasmtime_attestation_bindgen.kinds import (
    FixedLengthList,
    Kind,
    Primitive,
    Tuple,
)
from wasmtime_attestation_bindgen.model import Resolve
from wasmtime_attestation_bindgen.source import Span
from wasmtime_attestation_bindgen.surface import Surface, mentions

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
    for instance in (*world.imports, *world.exports):
        for mention in mentions(resolve, instance):
            _check_length(mention.kind, mention.place, mention.span)


def _check_length(kind: Primitive | Kind, what: str, span: Span | None) -> None:
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
