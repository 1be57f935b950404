"""Base64url without padding (RFC 4648 section 5, RFC 7515 section 2), in its one canonical form."""

from __future__ import annotations

import base64
import re

_ALPHABET = re.compile(r"[A-Za-z0-9_-]*")


def encode(data: bytes) -> str:
    """Returns the base64url form."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """Returns the bytes.

    Raises:
        ValueError: a character is foreign, or another text means the same bytes.
    """
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        data = b""
    # Foreign characters are skipped when decoding, so that they are missing here.
    if encode(data) == text:
        return data
    if not _ALPHABET.fullmatch(text):
        raise ValueError("base64url has characters A to Z, a to z, 0 to 9, - and _ only")
    raise ValueError("base64url is not in its canonical form")
