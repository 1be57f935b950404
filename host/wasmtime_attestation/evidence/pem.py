"""Certificates in PEM (RFC 7468), in the one text that they make."""

from __future__ import annotations

import base64
import binascii

_BEGIN = b"-----BEGIN CERTIFICATE-----"
_END = b"-----END CERTIFICATE-----"
_COLUMNS = 64


def decode_chain(text: bytes, most: int) -> tuple[bytes, ...]:
    """Returns the DER of each certificate of a chain.

    Args:
        text: the certificates one after the other; the last line end may be absent, and zeros
            may follow, as firmware writes them.
        most: how many there may be.

    Raises:
        ValueError: the text is not canonical, or there is none, or there are too many.
    """
    text = text.rstrip(b"\0")
    count = text.count(_BEGIN)
    if not 0 < count <= most:
        raise ValueError(f"it has {count} certificates in PEM, not 1 to {most}")
    chain = tuple(_der(block) for block in text.split(_BEGIN)[1:])
    canonical = b"".join(map(encode, chain))
    if text not in (canonical, canonical.removesuffix(b"\n")):
        raise ValueError("its PEM text is not canonical")
    return chain


def encode(der: bytes) -> bytes:
    """Returns the text of a certificate in DER."""
    text = base64.b64encode(der)
    lines = [text[at : at + _COLUMNS] for at in range(0, len(text), _COLUMNS)]
    return b"\n".join([_BEGIN, *lines, _END, b""])


def _der(block: bytes) -> bytes:
    body = block.partition(_END)[0]
    try:
        return base64.b64decode(b"".join(body.split()), validate=True)
    except binascii.Error as error:
        raise ValueError(f"a certificate is no base64: {error}") from error
