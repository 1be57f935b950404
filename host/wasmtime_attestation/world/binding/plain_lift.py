"""Reads the component values that hold no others: numbers, text, bytes."""

from __future__ import annotations

from collections.abc import Callable
from ctypes import string_at
from struct import Struct
from typing import Any, NoReturn, TypeAlias

from wasmtime_attestation.world.binding import capi, shapes
from wasmtime_attestation.world.binding.misfit import MisfitError
from wasmtime_attestation.world.binding.scope import Scope
from wasmtime_attestation.world.host_calls import pass_bytes

Lifter: TypeAlias = Callable[[bytes, int, Scope], Any]

_NUMBERS = {
    (8, False): (capi.U8, "B"),
    (16, False): (capi.U16, "H"),
    (32, False): (capi.U32, "I"),
    (64, False): (capi.U64, "Q"),
    (8, True): (capi.S8, "b"),
    (16, True): (capi.S16, "h"),
    (32, True): (capi.S32, "i"),
    (64, True): (capi.S64, "q"),
}
_FLOATS = {32: (capi.F32, "f"), 64: (capi.F64, "d")}


def number(shape: shapes.Integer | shapes.Float) -> tuple[int, str]:
    """Returns the kind of a number, and the format that `struct` has for it."""
    match shape:
        case shapes.Integer(bits, signed):
            return _NUMBERS[bits, signed]
        case shapes.Float(bits):
            return _FLOATS[bits]


def refuse(expected: str) -> NoReturn:
    """Refuses a guest that has another type than what is expected."""
    raise MisfitError(f"the guest has another type where its host has {expected}")


def scalar(kind: int, format_: str) -> Lifter:
    """Returns what reads a number or a bool, by its kind and the format of `struct`."""
    unpack = Struct(f"<B7x{format_}").unpack_from

    def lift(block: bytes, at: int, _scope: Scope) -> Any:  # noqa: ANN401 - a number
        found, value = unpack(block, at)
        if found != kind:
            refuse("a number, a bool or a char")
        return value

    return lift


def char() -> Lifter:
    """Returns what reads a char."""
    code_point = scalar(capi.CHAR, "I")
    return lambda block, at, scope: chr(code_point(block, at, scope))


def read(block: bytes, at: int, kind: int, size: int) -> tuple[int, bytes]:
    """Returns the count of a sequence, and its items of `size` bytes each."""
    found, count, address = capi.SEQUENCE.unpack_from(block, at)
    if found != kind:
        refuse(SEQUENCES[kind])
    if count > capi.MAX_ITEMS:
        raise MisfitError(f"{count} items are more than a host takes at once")
    if kind == capi.LIST or kind == capi.MAP:
        pass_bytes(count)
    return count, string_at(address, count * size) if count else b""


SEQUENCES = {
    capi.STRING: "a string",
    capi.LIST: "a list",
    capi.TUPLE: "a tuple",
    capi.RECORD: "a record",
    capi.FLAGS: "flags",
    capi.ENUM: "an enum",
    capi.MAP: "a map",
}


def string(block: bytes, at: int, _scope: Scope) -> Any:  # noqa: ANN401 - a str, of ctypes
    """Reads a string."""
    found, size, address = capi.SEQUENCE.unpack_from(block, at)
    if found != capi.STRING:
        refuse("a string")
    if size > _MAX_BYTES:
        raise MisfitError(f"a string of {size} bytes is more than a host takes at once")
    pass_bytes(size)
    return capi.text_at(address, size, None) if size else ""


_MAX_BYTES = (1 << 31) - 1


def octets(block: bytes, at: int, _scope: Scope) -> bytes:
    """Reads a `list<u8>`, with no look at a single byte."""
    count, vals = read(block, at, capi.LIST, capi.VAL)
    if vals[:: capi.VAL].count(capi.U8) != count:
        refuse("list<u8>")
    return vals[8 :: capi.VAL]


def numbers(kind: int, format_: str) -> Lifter:
    """Returns what reads a list of numbers."""
    value = Struct(f"<8x{format_}")
    values = Struct(f"<8x{format_}{capi.VAL - value.size}x").iter_unpack

    def lift(block: bytes, at: int, _scope: Scope) -> list[Any]:
        count, vals = read(block, at, capi.LIST, capi.VAL)
        if vals[:: capi.VAL].count(kind) != count:
            refuse("a list of numbers")
        return [number for (number,) in values(vals)]

    return lift
