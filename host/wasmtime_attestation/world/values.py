"""Whether a Python value fits a WIT type, in either direction.

wasmtime-py masks integers that are too large and takes a bool for an integer,
so no value reaches it unchecked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
S = TypeVar("S")


class MisfitError(ValueError):
    """A value that the WIT type cannot hold."""


def instance(kind: type[T], value: object, name: str) -> T:
    """Returns `value` if it is a `kind`.

    Args:
        kind: the class to be of.
        value: what to look at.
        name: what the value is called in the message.

    Raises:
        MisfitError: it is not.
    """
    if not isinstance(value, kind):
        raise MisfitError(f"{name} is a {type(value).__name__}, not a {kind.__name__}")
    return value


def boolean(value: object, name: str) -> bool:
    """Returns a WIT `bool`; raises `MisfitError`."""
    return instance(bool, value, name)


def u32(value: object, name: str) -> int:
    """Returns a WIT `u32`; raises `MisfitError`."""
    return _unsigned(value, name, 32)


def u64(value: object, name: str) -> int:
    """Returns a WIT `u64`; raises `MisfitError`."""
    return _unsigned(value, name, 64)


def string(value: object, name: str) -> str:
    """Returns a WIT `string`, which is made of Unicode scalar values; raises `MisfitError`."""
    text = instance(str, value, name)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise MisfitError(f"{name} holds a lone surrogate, which UTF-8 cannot encode") from error
    return text


def octets(value: object, name: str) -> bytes:
    """Returns a WIT `list<u8>`; raises `MisfitError`."""
    return instance(bytes, value, name)


def option(check: Callable[[object, str], S], value: object, name: str) -> S | None:
    """Returns a WIT `option` of what `check` returns; raises `MisfitError`."""
    return None if value is None else check(value, name)


def _unsigned(value: object, name: str, bits: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise MisfitError(f"{name} is a {type(value).__name__}, not an integer")
    if not 0 <= value < 1 << bits:
        raise MisfitError(f"{name} is {value}, which does not fit into {bits} bits")
    return value
