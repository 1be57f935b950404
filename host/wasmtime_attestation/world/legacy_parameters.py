"""The JSON that a guest passes to the legacy ABI, read strictly.

A key that is missing or null is an option's none; nothing else is forgiven.
Readers raise `MisfitError` for what is not of their type.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Mapping, Sequence
from enum import Flag, StrEnum
from functools import reduce
from operator import or_
from typing import TypeAlias, TypeVar

from wasmtime_attestation.errors import InvalidArgumentError
from wasmtime_attestation.evidence import base64url, strict_json
from wasmtime_attestation.world.binding.misfit import MisfitError
from wasmtime_attestation.world.legacy_json import MAX_SAFE_INTEGER

T = TypeVar("T")
K = TypeVar("K")
E = TypeVar("E", bound=StrEnum)
F = TypeVar("F", bound=Flag)
Json: TypeAlias = strict_json.Json
Read = Callable[[Json], T]
Members = dict[str, Json]

MAX_PARAMETER = 1 << 16
"""The most bytes of one parameter: eight times the largest valid challenge."""
_DECIMAL = re.compile(r"0|-?[1-9][0-9]{0,19}")
_NOT_FINITE = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}
_QUOTED = 80
_F32 = struct.Struct("<f")


def parameter(name: str, data: bytes, read: Read[T], *, floats: bool = False) -> T:
    """Reads a parameter.

    Args:
        name: what it is called in messages.
        data: its JSON.
        read: reads the value.
        floats: whether its type has floats in it.

    Raises:
        InvalidArgumentError: it is anything else.
    """
    if len(data) > MAX_PARAMETER:
        raise InvalidArgumentError(
            f"{name}: {len(data)} bytes of JSON, where at most {MAX_PARAMETER} can be right"
        )
    try:
        value = strict_json.loads(data, floats=floats)
    except ValueError as error:
        raise InvalidArgumentError(f"{name}: not strict JSON: {error}") from error
    try:
        return read(value)
    except MisfitError as error:
        raise InvalidArgumentError(f"{name}: {error}") from error


def utf8(name: str, data: bytes) -> str:
    """Reads a parameter that is a text.

    Raises:
        InvalidArgumentError: it is not UTF-8.
    """
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise InvalidArgumentError(
            f"{name} is not UTF-8 at byte {error.start}; pass text as UTF-8"
        ) from error


def utf8_or_none(name: str, data: bytes | None) -> str | None:
    """Reads a parameter that may be a text; see `utf8`."""
    return None if data is None else utf8(name, data)


def boolean(value: Json) -> bool:
    """Reads a `bool`."""
    if not isinstance(value, bool):
        raise _misfit(value, "true or false")
    return value


def _integers(bits: int, *, signed: bool) -> Read[int]:
    low, high = (-(1 << bits - 1), 1 << bits - 1) if signed else (0, 1 << bits)
    # Beyond this, many a JSON library has rounded before the host sees the number.
    exact = MAX_SAFE_INTEGER if bits == 64 else high

    def read(value: Json) -> int:
        if bits == 64 and isinstance(value, str) and _DECIMAL.fullmatch(value):
            number = int(value)
        elif isinstance(value, bool) or not isinstance(value, int):
            raise _misfit(value, "an integer")
        elif abs(value) > exact:
            raise MisfitError(f"{value} is not exact as a number; write it as a string")
        else:
            number = value
        if not low <= number < high:
            raise MisfitError(f"{number} does not fit into {bits} bits")
        return number

    return read


u8, u16, u32, u64 = (_integers(bits, signed=False) for bits in (8, 16, 32, 64))
s8, s16, s32, s64 = (_integers(bits, signed=True) for bits in (8, 16, 32, 64))


def f32(value: Json) -> float:
    """Reads an `f32`, rounded to one."""
    try:
        rounded: float = _F32.unpack(_F32.pack(f64(value)))[0]
    except OverflowError as error:
        raise MisfitError("a number is too large for an f32") from error
    return rounded


def f64(value: Json) -> float:
    """Reads an `f64`."""
    if isinstance(value, str) and value in _NOT_FINITE:
        return _NOT_FINITE[value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _misfit(value, "a number")
    return float(value)


def text(value: Json) -> str:
    """Reads a `string`."""
    if not isinstance(value, str):
        raise _misfit(value, "a string")
    return value


def char(value: Json) -> str:
    """Reads a `char`."""
    if len(text(value)) != 1:
        raise MisfitError("not one character")
    return text(value)


def octets(value: Json) -> bytes:
    """Reads a `list<u8>`."""
    try:
        return base64url.decode(text(value))
    except MisfitError:
        raise
    except ValueError as error:
        raise MisfitError(f"not base64url without padding: {error}") from error


def label(kind: type[E]) -> Read[E]:
    """Returns what reads an enum by its label."""
    return labels({str(member): member for member in kind})


def labels(cases: Mapping[str, E]) -> Read[E]:
    """Returns what reads an enum, given what each case is called."""
    return lambda value: cases[_known(value, cases)]


def flags(kind: type[F], labels: Mapping[str, F]) -> Read[F]:
    """Returns what reads flags by their labels."""

    def read(value: Json) -> F:
        found = [labels[_known(item, labels)] for item in _items(value)]
        if len(set(found)) != len(found):
            raise MisfitError("a flag is there twice")
        return reduce(or_, found, kind(0))

    return read


def array(item: Read[T]) -> Read[list[T]]:
    """Returns what reads a list."""
    return lambda value: [_within(str(i), item, v) for i, v in enumerate(_items(value))]


def fixed(item: Read[T], length: int) -> Read[list[T]]:
    """Returns what reads a list of fixed length."""
    return lambda value: array(item)(list(elements(value, length)))


def mapping(key: Read[K], item: Read[T]) -> Read[dict[K, T]]:
    """Returns what reads a map from an array of pairs."""

    def read(value: Json) -> dict[K, T]:
        pairs = [elements(pair, 2) for pair in _items(value)]
        found = {key(k): item(v) for k, v in pairs}
        if len(found) != len(pairs):
            raise MisfitError("a key is there twice")
        return found

    return read


def option(some: Read[T]) -> Read[T | None]:
    """Returns what reads an option."""
    return lambda value: None if value is None else some(value)


def elements(value: Json, count: int) -> Sequence[Json]:
    """Returns the items of an array that has `count` of them."""
    items = _items(value)
    if len(items) != count:
        raise MisfitError(f"{len(items)} items, not {count}")
    return items


def members(value: Json, *known: str) -> Members:
    """Returns the members of an object that has no others than those that are known."""
    if not isinstance(value, dict):
        raise MisfitError(f"the JSON is not an object but {_name(value)}")
    for key in value.keys() - set(known):
        raise MisfitError(f"no such key as {key[:_QUOTED]!r}; use {', '.join(known)}")
    return value


def member(members: Members, key: str, read: Read[T]) -> T:
    """Reads a member that must be there."""
    value = members.get(key)
    if value is None:
        raise MisfitError(f"{key} is missing")
    return _within(key, read, value)


def maybe(members: Members, key: str, read: Read[T]) -> T:
    """Reads a member that may be null or missing, with what takes null."""
    return _within(key, read, members.get(key))


def case(value: Json, *labels: str) -> tuple[str, Members]:
    """Returns which case of a variant an object is, and its members."""
    found = members(value, "case", "value")
    return member(found, "case", lambda label: _known(label, labels)), found


def outcome(value: Json) -> tuple[bool, Members]:
    """Returns whether a `result` is ok, and its members."""
    found = members(value, "ok", "err")
    if len(found) != 1:
        raise MisfitError("neither ok nor err alone")
    return "ok" in found, found


def empty(members: Members, key: str) -> None:
    """Checks that a case without payload has none."""
    if members.get(key) is not None:
        raise MisfitError(f"this case has no {key}")


def _within(place: str, read: Read[T], value: Json) -> T:
    try:
        return read(value)
    except MisfitError as error:
        raise error.within(place) from error


def _known(value: Json, labels: Mapping[str, object] | Sequence[str]) -> str:
    label = text(value)
    if label not in labels:
        raise MisfitError(f"no case {label[:_QUOTED]!r}; use {', '.join(labels)}")
    return label


def _items(value: Json) -> list[Json]:
    if not isinstance(value, list):
        raise _misfit(value, "an array")
    return value


def _misfit(value: Json, wanted: str) -> MisfitError:
    return MisfitError(f"{_name(value)}, not {wanted}")


def _name(value: Json) -> str:
    names = {bool: "a bool", int: "an integer", float: "a float", str: "a string"}
    names |= {list: "an array", dict: "an object", type(None): "null"}
    return names[type(value)]
