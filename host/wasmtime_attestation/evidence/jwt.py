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
        data: the payload's bytes.
        signature: the signature.
    """

    text: str
    header: dict[str, Json]
    data: bytes
    signature: bytes

    @property
    def signing_input(self) -> bytes:
        """What is signed: header and payload as they stand in the text."""
        return self.text.rpartition(".")[0].encode("ascii")

    def claims(self, *, floats: bool = False) -> dict[str, Json]:
        """Returns the payload as the claims of a JWT (RFC 7519 section 3).

        Args:
            floats: whether numbers with a fraction may be among them.

        Raises:
            ValueError: it is no JSON object, or is ambiguous.
        """
        return claims_of(self.data, floats=floats)


def looks_like(text: str) -> bool:
    """Whether a text can be meant as a compact JWS: it has dots, and so no encoding of bytes."""
    return "." in text and set(text) <= _CHARACTERS


def key_id(text: str) -> str | None:
    """Returns the `kid` that a token names, unverified; None where there is none, or no token."""
    try:
        value = decode(text).header.get("kid")
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, str) else None


def is_issued(text: str) -> bool:
    """Whether a token is a service's: it names an issuer or submodules, as ours never do."""
    return issued(text) is not None


def issued(text: str) -> tuple[CompactJws, dict[str, Json]] | None:
    """Returns the parts and the claims of a service's token; None where it is another."""
    try:
        parts = decode(text)
        claims = parts.claims(floats=True)
    except (ValueError, RecursionError):
        return None
    return (parts, claims) if "iss" in claims or "submods" in claims else None


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
        header=_object("header", _bytes("header", header)),
        data=_bytes("payload", payload),
        signature=_bytes("signature", signature),
    )


def claims_of(data: bytes, *, floats: bool = False) -> dict[str, Json]:
    """Returns the bytes of a payload as the claims of a JWT; see `CompactJws.claims`."""
    return _object("payload", data, floats=floats)


def _bytes(part: str, text: str) -> bytes:
    try:
        return base64url.decode(text)
    except ValueError as error:
        raise ValueError(f"its {part} cannot be read: {error}") from error


def _object(part: str, data: bytes, *, floats: bool = False) -> dict[str, Json]:
    try:
        value = strict_json.loads(data, floats=floats)
    except ValueError as error:
        raise ValueError(f"its {part} cannot be read: {error}") from error
    if not isinstance(value, dict):
        raise ValueError(f"its {part} is no JSON object")
    return value
