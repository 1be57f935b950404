"""One value of every kind, through wasmtime and back, before the fast path is used."""

from __future__ import annotations

from ctypes import c_char
from dataclasses import dataclass
from enum import Flag, StrEnum
from typing import ClassVar

from wasmtime_attestation.world.binding import capi, lift, lower, shapes
from wasmtime_attestation.world.binding.scope import NO_HANDLES, Scope


class _Label(StrEnum):
    FIRST = "first"
    LAST = "last"


class _Bits(Flag):
    LOW = 1
    HIGH = 2


@dataclass(frozen=True, slots=True)
class _Case:
    case: ClassVar[str] = "case"
    value: int


@dataclass(frozen=True, slots=True)
class _Fields:
    label: _Label
    bits: _Bits
    case: _Case


_SHAPE = shapes.Tuple(
    (
        shapes.Tuple((shapes.BOOL, shapes.U8, shapes.S16, shapes.U32, shapes.S64, shapes.F64)),
        shapes.Tuple((shapes.CHAR, shapes.STRING, shapes.OCTETS, shapes.List(shapes.U16))),
        shapes.Option(shapes.STRING),
        shapes.Record(
            _Fields,
            {
                "label": shapes.Enum(_Label),
                "bits": shapes.Flags(_Bits, ("low", "high")),
                "case": shapes.Variant({"case": shapes.Case(_Case, shapes.U64)}),
            },
        ),
    )
)
_VALUE = (
    (True, 0xA5, -2, 0xDEAD_BEEF, -(1 << 63), 1.5),
    ("\N{SNOWMAN}", "text", b"\0\xff", [1, 0xFFFF]),
    "some",
    _Fields(_Label.LAST, _Bits.HIGH, _Case((1 << 64) - 1)),
)


def problem() -> str | None:
    """Returns why values cannot go through wasmtime's memory, or None."""
    scope, slot = Scope(0, NO_HANDLES), (c_char * capi.VAL)()
    capi.clone(lower.lowerer(_SHAPE)(_VALUE, scope), slot)
    try:
        found = lift.lifter(_SHAPE)(slot.raw, 0, scope)
    except ValueError as error:  # a misfit, or bytes that are no text
        return f"a value came back from wasmtime as something else ({error})"
    finally:
        capi.delete(slot)
    return None if found == _VALUE else f"a value came back from wasmtime as {found!r}"
