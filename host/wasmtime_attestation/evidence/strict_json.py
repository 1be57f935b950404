"""JSON as a security protocol needs it: one meaning a text, and bounded effort.

RFC 8259 leaves duplicate members and numbers open; here the first are errors
and only integers are numbers, unless the caller expects others.
"""

from __future__ import annotations

import json
import math
from typing import NoReturn

MAX_DEPTH = 32
"""How deep arrays and objects may be nested."""
MAX_COMMAS = 250_000
"""Commas in a text, and so values: a boot log written as an array of bytes has half as many."""

_OPENING, _CLOSING = b"[{", b"]}"
_ALIKE = bytes.maketrans(_OPENING + _CLOSING, b"(())")
_OTHERS = bytes(set(range(256)) - set(_OPENING + _CLOSING))
_BRIEF = 80
_ALWAYS_IN_RANGE = 18
"""Characters of a number of which each is a 64-bit integer."""

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


def loads(data: bytes, *, floats: bool = False) -> Json:
    """Parses a JSON text.

    Args:
        data: the text.
        floats: whether numbers with a fraction or an exponent may be there.

    Raises:
        ValueError: it is not UTF-8 or JSON, has a duplicate member, a number
            that is not a 64-bit integer (or a finite float, if there may be any),
            a lone surrogate, has too many values, or is nested too deep.
    """
    text = data.decode("utf-8", errors="strict")
    _check_bounds(data)
    value: Json = json.loads(
        text,
        object_pairs_hook=_unique,
        parse_float=_finite if floats else _no_float,
        parse_constant=_no_float,
        parse_int=_integer,
    )
    if "\\u" in text:
        # Only an escape can spell half of a surrogate pair, which is no character.
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    return value


def brief(value: Json) -> str:
    """Returns a value as a message may quote it: ASCII on one line, and bounded."""
    text = json.dumps(value)
    return text if len(text) <= _BRIEF else f"{text[:_BRIEF]}..."


def _check_bounds(data: bytes) -> None:
    """Counts the values, and peels off the innermost pairs of brackets, layer by layer."""
    if len(data) > MAX_COMMAS and data.count(b",") > MAX_COMMAS:
        raise ValueError(f"JSON has more than {MAX_COMMAS} values")
    # Without escapes, every other part between quotation marks is within a string.
    quoted = data.replace(rb"\\", b"").replace(rb"\"", b"").split(b'"')
    brackets = b"".join(quoted[::2]).translate(_ALIKE, _OTHERS)
    layers = 0
    while layers <= MAX_DEPTH and b"()" in brackets:
        brackets = brackets.replace(b"()", b"")
        layers += 1
    # What is left is in no order that makes sense; what opens there may be nested.
    if layers + brackets.count(b"(") > MAX_DEPTH:
        raise ValueError(f"JSON is nested deeper than {MAX_DEPTH}")


def _unique(pairs: list[tuple[str, Json]]) -> Json:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a JSON object has a duplicate member")
    return members


def _integer(digits: str) -> int:
    if len(digits) <= _ALWAYS_IN_RANGE:
        return int(digits)
    # Longer than any 64-bit integer: not worth converting.
    if len(digits) > 20 or not -(2**63) <= int(digits) < 2**64:
        raise ValueError("a JSON number is out of range")
    return int(digits)


def _finite(number: str) -> float:
    if not math.isfinite(float(number)):
        raise ValueError("a JSON number is out of range")
    return float(number)


def _no_float(number: str) -> NoReturn:
    raise ValueError(f"{number[:20]} is not an integer")
