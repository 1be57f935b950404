"""A strict reader of DER (X.690), as far as vendors' own certificate extensions use it."""

from __future__ import annotations

import re
from typing import NamedTuple

MAX_INTEGER = 20
"""Bytes in an INTEGER; vendors' SVNs have three."""
MAX_OID = 64
"""Bytes in an OBJECT IDENTIFIER; Intel's have eleven. Long ones take long to write out."""
# Groups of seven bits, each with the high bit set but the last, and in the shortest form.
_ARCS = re.compile(rb"(?:(?:[\x81-\xff][\x80-\xff]*)?[\x00-\x7f])+")
_BOOLEAN, _INTEGER, _OCTET_STRING, _OID, _SEQUENCE = 0x01, 0x02, 0x04, 0x06, 0x30


class Value(NamedTuple):
    """One value: its tag and its content, not decoded."""

    tag: int
    content: bytes


def decode(data: bytes) -> Value:
    """Decodes one value that is all there is.

    Raises:
        ValueError: it is no DER, or something follows. So with every function here.
    """
    value, end = _read(data, 0)
    if end != len(data):
        raise ValueError(f"{len(data) - end} bytes follow a DER value")
    return value


def sequence(value: Value) -> list[Value]:
    """Returns the items of a SEQUENCE."""
    content, end, items = _content(value, _SEQUENCE), 0, []
    while end < len(content):
        item, end = _read(content, end)
        items.append(item)
    return items


def pair(value: Value) -> tuple[Value, Value]:
    """Returns the items of a SEQUENCE of two."""
    items = sequence(value)
    if len(items) != 2:
        raise ValueError(f"a DER sequence has {len(items)} items, not 2")
    return items[0], items[1]


def boolean(value: Value) -> bool:
    """Returns a BOOLEAN."""
    content = _content(value, _BOOLEAN)
    if content not in (b"\x00", b"\xff"):
        raise ValueError("a DER boolean is neither 00 nor FF")
    return content == b"\xff"


def integer(value: Value) -> int:
    """Returns an INTEGER."""
    content = _content(value, _INTEGER)
    if len(content) > MAX_INTEGER:
        raise ValueError(f"a DER integer has more than {MAX_INTEGER} bytes")
    padded = len(content) > 1 and (content[0], content[1] >> 7) in ((0, 0), (0xFF, 1))
    if not content or padded:
        raise ValueError("a DER integer is empty or not minimal")
    return int.from_bytes(content, "big", signed=True)


def octet_string(value: Value) -> bytes:
    """Returns an OCTET STRING."""
    return _content(value, _OCTET_STRING)


def object_identifier(value: Value) -> bytes:
    """Returns an OBJECT IDENTIFIER as it is encoded, which has one form; `dotted` writes it out."""
    content = _content(value, _OID)
    if not content or content[-1] & 0x80:
        raise ValueError("a DER object identifier is cut off")
    if len(content) > MAX_OID:
        raise ValueError(f"a DER object identifier has more than {MAX_OID} bytes")
    if not _ARCS.fullmatch(content):
        raise ValueError("a DER object identifier is not minimal")
    return content


def dotted(oid: bytes) -> str:
    """Writes an OBJECT IDENTIFIER with dots."""
    arcs, number = [], 0
    for octet in oid:
        number = number << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(number)
            number = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, [first, arcs[0] - 40 * first, *arcs[1:]]))


def _content(value: Value, tag: int) -> bytes:
    if value.tag != tag:
        raise ValueError(f"a DER value has tag 0x{value.tag:02x}, not 0x{tag:02x}")
    return value.content


def _read(data: bytes, start: int) -> tuple[Value, int]:
    """Reads the value that begins at `start`, and returns also where it ends.

    Its length must be in the shortest form (X.690 section 10.1).
    """
    at = start + 2
    if len(data) < at:
        raise ValueError("a DER value is cut off")
    size = data[start + 1]
    if size >= 0x80:
        count = size & 0x7F
        length, at = data[at : at + count], at + count
        size = int.from_bytes(length, "big")
        shortest = 1 if size < 0x80 else (size.bit_length() + 7) // 8
        if size < 0x80 or count != shortest or len(data) < at:
            raise ValueError("a DER length is not in its shortest form")
    end = at + size
    if len(data) < end:
        raise ValueError("a DER value is cut off")
    return Value(data[start], data[at:end]), end
