"""Writes the component values that hold no others: numbers, text, bytes."""

from __future__ import annotations

from collections.abc import Callable
from ctypes import addressof, c_char
from struct import Struct
from struct import error as StructError  # noqa: N812 - it is a class
from typing import Any, TypeAlias

from wasmtime_attestation.world.binding import capi, shapes
from wasmtime_attestation.world.binding.misfit import MisfitError
from wasmtime_attestation.world.binding.plain_lift import number
from wasmtime_attestation.world.binding.scope import Scope

Lowerer: TypeAlias = Callable[[Any, Scope], bytes]


def wrong(value: object, expected: str) -> MisfitError:
    """Returns the error for a value of another class."""
    return MisfitError(f"a {type(value).__name__}, not {expected}")


def sequence(kind: int, count: int, content: bytes, scope: Scope) -> bytes:
    """Returns a val that is a size and the address of its content."""
    scope.append(content)
    return capi.SEQUENCE.pack(kind, count, capi.address(content))


def boxed(val: bytes, scope: Scope) -> int:
    """Returns the address of a val that another one points to."""
    scope.append(val)
    address: int = capi.address(val)
    return address


def integer(shape: shapes.Integer) -> Lowerer:
    """Returns what writes an integer."""
    kind, format_ = number(shape)
    pack = scalar(format_).pack
    name = f"{'s' if shape.signed else 'u'}{shape.bits}"

    def lower(value: Any, _scope: Scope) -> bytes:  # noqa: ANN401 - as it comes
        if not isinstance(value, int) or isinstance(value, bool):
            raise wrong(value, "an integer")
        try:
            return pack(kind, value)
        except StructError as error:
            raise MisfitError(f"{value} does not fit into {name}") from error

    return lower


def scalar(format_: str) -> Struct:
    """Returns the layout of a val that holds a number, by the format of `struct`."""
    size = Struct(f"<8x{format_}").size
    return Struct(f"<B7x{format_}{capi.VAL - size}x")


def float_(shape: shapes.Float) -> Lowerer:
    """Returns what writes a float."""
    kind, format_ = number(shape)
    pack = scalar(format_).pack

    def lower(value: Any, _scope: Scope) -> bytes:  # noqa: ANN401 - as it comes
        if not isinstance(value, float | int) or isinstance(value, bool):
            raise wrong(value, "a float")
        try:
            return pack(kind, value)
        except OverflowError as error:
            raise MisfitError(f"{value} does not fit into f{shape.bits}") from error

    return lower


_TRUE, _FALSE = (scalar("?").pack(capi.BOOL, value) for value in (True, False))
_CHAR = scalar("I")


def bool_(value: Any, _scope: Scope) -> bytes:  # noqa: ANN401 - as it comes
    """Writes a bool."""
    if value is True:
        return _TRUE
    if value is False:
        return _FALSE
    raise wrong(value, "a bool")


def char(value: Any, _scope: Scope) -> bytes:  # noqa: ANN401 - as it comes
    """Writes a char."""
    if not isinstance(value, str) or len(value) != 1:
        raise wrong(value, "a single character")
    encoded(value)
    return _CHAR.pack(capi.CHAR, ord(value))


def encoded(value: str) -> bytes:
    """Returns text in UTF-8; raises `MisfitError` where it cannot be."""
    try:
        return str.encode(value)  # a subclass may have another `encode`, and wasmtime trusts us
    except UnicodeEncodeError as error:
        raise MisfitError("a lone surrogate, which UTF-8 cannot encode") from error


def string(value: Any, scope: Scope) -> bytes:  # noqa: ANN401 - as it comes
    """Writes a string."""
    if type(value) is str and value.isascii():
        # Python has it as UTF-8 already: wasmtime's copy is the only one.
        scope.append(value)
        return capi.SEQUENCE.pack(capi.STRING, len(value), capi.text_address(value))
    if not isinstance(value, str):
        raise wrong(value, "a str")
    data = encoded(value)
    return sequence(capi.STRING, len(data), data, scope)


_ZERO_OCTET = bytes([capi.U8]).ljust(capi.VAL, b"\0")


def octets(value: Any, scope: Scope) -> bytes:  # noqa: ANN401 - as it comes
    """Writes a `list<u8>`, with no look at a single byte."""
    if not isinstance(value, bytes):
        raise wrong(value, "bytes")
    if not value:
        return sequence(capi.LIST, 0, b"", scope)
    vals = bytearray(_ZERO_OCTET * len(value))
    vals[8 :: capi.VAL] = value
    start = c_char.from_buffer(vals)  # keeps the array, and where it is
    scope.append(start)
    return capi.SEQUENCE.pack(capi.LIST, len(value), addressof(start))
