"""The types of WIT as the canonical ABI sees them: few forms, without names of their own.

Written from the component model's CanonicalABI.md alone, so that the bindings'
own idea of it (`layout.py`, and what the guests' languages make of it) is
tested against another. Resources have no form here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import TypeAlias

from wasmtime_attestation_bindgen import kinds
from wasmtime_attestation_bindgen.kinds import Primitive, Type
from wasmtime_attestation_bindgen.model import Resolve


@dataclass(frozen=True)
class Members:
    """A record, a tuple or a list of a fixed length; its values are tuples."""

    forms: tuple[Form, ...]


@dataclass(frozen=True)
class Listing:
    """A list, or a map, which is a list of pairs; its values are lists."""

    element: Form


@dataclass(frozen=True)
class Cases:
    """A variant, an enum, an option or a result; its values are pairs of a label and a payload."""

    cases: tuple[tuple[str, Form | None], ...]


@dataclass(frozen=True)
class Bits:
    """Flags; their values are frozen sets of labels."""

    labels: tuple[str, ...]


Form: TypeAlias = Primitive | Members | Listing | Cases | Bits

STRUCT = {
    Primitive.BOOL: "<B",
    Primitive.U8: "<B",
    Primitive.U16: "<H",
    Primitive.U32: "<I",
    Primitive.U64: "<Q",
    Primitive.S8: "<b",
    Primitive.S16: "<h",
    Primitive.S32: "<i",
    Primitive.S64: "<q",
    Primitive.F32: "<f",
    Primitive.F64: "<d",
    Primitive.CHAR: "<I",
}
"""How `struct` writes what has a fixed size in memory."""
WIDTHS = {"i32": 32, "i64": 64, "f32": 32, "f64": 64}
"""The bits of core types."""
_WIDE = {Primitive.U64: "i64", Primitive.S64: "i64", Primitive.F32: "f32", Primitive.F64: "f64"}


def form(model: Resolve, type_: Type) -> Form:
    """Returns the form of a type (`despecialize`)."""
    if isinstance(type_, Primitive):
        return type_
    match model.types[type_].kind:
        case kinds.Alias(target):
            return form(model, target)
        case kinds.Record(fields):
            return Members(tuple(form(model, field.type) for field in fields))
        case kinds.Tuple(types):
            return Members(tuple(form(model, member) for member in types))
        case kinds.FixedLengthList(element, length):
            return Members((form(model, element),) * length)
        case kinds.List(element):
            return Listing(form(model, element))
        case kinds.Map(key, value):
            return Listing(Members((form(model, key), form(model, value))))
        case kinds.Flags(flags):
            return Bits(tuple(flag.name for flag in flags))
        case kind:
            return Cases(tuple(_cases(model, kind)))


def _cases(model: Resolve, kind: kinds.Kind) -> Iterator[tuple[str, Form | None]]:
    match kind:
        case kinds.Variant(cases):
            named = [(case.name, case.type) for case in cases]
        case kinds.Enum(labels):
            named = [(label.name, None) for label in labels]
        case kinds.Option(some):
            named = [("none", None), ("some", some)]
        case kinds.Result(ok, error):
            named = [("ok", ok), ("error", error)]
        case _:
            raise TypeError(f"{type(kind).__name__} has no form")
    for label, payload in named:
        yield label, None if payload is None else form(model, payload)


def alignment(of: Form) -> int:
    """Returns what addresses of a form are multiples of (`alignment`)."""
    match of:
        case Primitive.STRING | Listing():
            return 4
        case Primitive():
            return size(of)
        case Members(forms):
            return max(map(alignment, forms), default=1)
        case Cases(cases):
            payloads = [alignment(payload) for _, payload in cases if payload is not None]
            return max([discriminant(of), *payloads])
        case Bits():
            return size(of)


def size(of: Form) -> int:
    """Returns how many bytes a form takes in memory (`elem_size`)."""
    match of:
        case Primitive.STRING | Listing():
            return 8
        case Primitive.BOOL | Primitive.U8 | Primitive.S8:
            return 1
        case Primitive.U16 | Primitive.S16:
            return 2
        case Primitive.U64 | Primitive.S64 | Primitive.F64:
            return 8
        case Primitive():
            return 4
        case Members(forms):
            end = max(
                (at + size(each) for at, each in zip(offsets(of), forms, strict=True)), default=0
            )
            return aligned(end, alignment(of))
        case Cases(cases):
            largest = max((size(payload) for _, payload in cases if payload is not None), default=0)
            return aligned(payload_offset(of) + largest, alignment(of))
        case Bits(labels):
            assert 0 < len(labels) <= 32
            return 1 if len(labels) <= 8 else 2 if len(labels) <= 16 else 4


def offsets(of: Members) -> list[int]:
    """Returns where each member begins."""
    found, end = [], 0
    for each in of.forms:
        found.append(aligned(end, alignment(each)))
        end = found[-1] + size(each)
    return found


def discriminant(of: Cases) -> int:
    """Returns how many bytes tell the cases apart (`discriminant_type`)."""
    return 1 if len(of.cases) <= 256 else 2 if len(of.cases) <= 65_536 else 4


def payload_offset(of: Cases) -> int:
    """Returns where the payload begins (`max_case_alignment`)."""
    widest = max((alignment(payload) for _, payload in of.cases if payload is not None), default=1)
    return aligned(discriminant(of), widest)


def flat(of: Form) -> list[str]:
    """Returns the core types that carry a form (`flatten_type`)."""
    match of:
        case Primitive.STRING | Listing():
            return ["i32", "i32"]
        case Primitive():
            return [_WIDE.get(of, "i32")]
        case Members(forms):
            return [core for each in forms for core in flat(each)]
        case Cases(cases):
            payloads = [flat(payload) for _, payload in cases if payload is not None]
            joined = [_join(column) for column in zip_longest(*payloads)]
            return ["i32", *joined]
        case Bits():
            return ["i32"]


def _join(column: tuple[str | None, ...]) -> str:
    different = {core for core in column if core is not None}
    if len(different) == 1:
        return different.pop()
    return "i32" if different == {"i32", "f32"} else "i64"


def aligned(at: int, to: int) -> int:
    """Returns the next multiple (`align_to`)."""
    return -(-at // to) * to
