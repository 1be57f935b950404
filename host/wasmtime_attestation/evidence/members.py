"""Reads the members of JSON documents of our own, strictly; each reader names what is wrong."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

from wasmtime_attestation.evidence import base64url
from wasmtime_attestation.evidence.strict_json import Json, brief

E = TypeVar("E", bound=StrEnum)


def members(
    what: str, value: Json, required: set[str], optional: set[str] | None = None
) -> dict[str, Json]:
    """Returns an object that has every required member, and besides only optional ones.

    Raises:
        ValueError: it has others, or is no object. All readers here raise the same.
    """
    if not isinstance(value, dict):
        raise ValueError(f"{what} is no JSON object")
    missing = sorted(required - value.keys())
    if missing:
        raise ValueError(f"{what} lacks {', '.join(missing)}")
    unknown = sorted(value.keys() - required - (optional or set()))
    if unknown:
        raise ValueError(f"{what} has members that the profile does not know: {brief([*unknown])}")
    return value


def array(what: str, value: Json, limit: int) -> list[Json]:
    """Returns an array of at most `limit` items."""
    if not isinstance(value, list) or len(value) > limit:
        raise ValueError(f"{what} is no array of at most {limit} items")
    return value


def string(what: str, value: Json) -> str:
    """Returns a string."""
    if not isinstance(value, str):
        raise ValueError(f"{what} is no string")
    return value


def bounded(what: str, value: Json, limit: int) -> str:
    """Returns a string of at most `limit` characters."""
    text = string(what, value)
    if len(text) > limit:
        raise ValueError(f"{what} has more than {limit} characters")
    return text


def boolean(what: str, value: Json) -> bool:
    """Returns true or false."""
    if not isinstance(value, bool):
        raise ValueError(f"{what} is neither true nor false")
    return value


def number(what: str, value: Json, limit: int = 2**53) -> int:
    """Returns a whole number from 0 up to, not including, `limit`."""
    # bool is an int in Python.
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < limit:
        raise ValueError(f"{what} is no whole number from 0 to {limit - 1}")
    return value


def time(what: str, value: Json) -> int:
    """Returns seconds since the Unix epoch."""
    # 2**53 is what JSON numbers carry exactly.
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**53:
        raise ValueError(f"{what} is no whole number of seconds since 1970")
    return value


def one_of(kinds: type[E], what: str, value: Json) -> E:
    """Returns the kind of a name."""
    for kind in kinds:
        if kind == value:
            return kind
    raise ValueError(f"{what} is {brief(value)}; known are {', '.join(kinds)}")


def octets(what: str, value: Json) -> bytes:
    """Returns bytes, which are written in base64url without padding."""
    try:
        return base64url.decode(string(what, value))
    except ValueError as error:
        raise ValueError(f"{what} cannot be read: {error}") from error


def sized(what: str, value: Json, sizes: range) -> bytes:
    """Returns bytes of one of some sizes."""
    data = octets(what, value)
    if len(data) not in sizes:
        raise ValueError(f"{what} has {len(data)} bytes, not {sizes.start} to {sizes.stop - 1}")
    return data
