"""Bytes written as text: hex, base64 or base64url, as tools and services hand them over."""

from __future__ import annotations

import base64
import binascii

_HEX = frozenset(b"0123456789abcdefABCDEF")
_BASE64 = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_=")


def decode(data: bytes) -> bytes | None:
    """Returns the bytes that a text stands for, or None where it is no such text.

    A text that could be either is hex: base64 of evidence has other characters too.

    Args:
        data: the text; blanks and line ends do not count, nor does a leading `0x`.
    """
    text = b"".join(data.split()).removeprefix(b"0x")
    characters = frozenset(text)
    if not text or not characters <= _BASE64:
        return None
    if characters <= _HEX and len(text) % 2 == 0:
        return bytes.fromhex(text.decode("ascii"))
    standard = text.replace(b"-", b"+").replace(b"_", b"/").rstrip(b"=")
    try:
        return base64.b64decode(standard + b"=" * (-len(standard) % 4), validate=True)
    except binascii.Error:
        return None
