"""The parts of a compact JWS (RFC 7515 section 7.1), strictly decoded and not verified."""

from __future__ import annotations

import string
from dataclasses import dataclass

from wasmtime_attestation.evidence import base64url, strict_json
from wasmtime_attestation.evidence.strict_json import Json

_CHARACTERS = frozenset(string.ascii_letters + string.digits + "-_.")
MAX_SIZE = 1 << 20
"""Characters in a token."""


@dataclass(frozen=True, slots=True)
class CompactJws:
    """A compact JWS in its parts.

    Attributes:
        text: the whole.
        header: the protected header.
        payload: the payload, a JSON object in each token of this package.
        signature: the signature.
    """

    text: str
    header: dict[str, Json]
    payload: dict[str, Json]
    signature: bytes


def looks_like(text: str) -> bool:
    """Whether a text can be meant as a compact JWS: it has dots, and so no encoding of bytes."""
    return "." in text and set(text) <= _CHARACTERS


def decode(text: str) -> CompactJws:
    """Decodes a compact JWS.

    Raises:
        ValueError: it is none, with what is wrong.
    """
    if len(text) > MAX_SIZE:
        raise ValueError(f"it has {len(text)} characters; {MAX_SIZE} is the limit")
    parts = text.split(".", 3)
    if len(parts) != 3:
        raise ValueError("a token has three parts with a dot between them")
    header, payload, signature = parts
    return CompactJws(
        text=text,
        header=_object("header", header),
        payload=_object("payload", payload),
        signature=base64url.decode(signature),
    )


def _object(part: str, text: str) -> dict[str, Json]:
    try:
        value = strict_json.loads(base64url.decode(text))
    except ValueError as error:
        raise ValueError(f"its {part} cannot be read: {error}") from error
    if not isinstance(value, dict):
        raise ValueError(f"its {part} is no JSON object")
    return value
