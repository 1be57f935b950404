"""Tells tokens and kinds of evidence apart, by content: binary, hex or base64."""

from __future__ import annotations

import base64
import binascii
import codecs
from dataclasses import dataclass

from wasmtime_attestation.errors import RejectedError
from wasmtime_attestation.evidence import jwt, snp, tdx
from wasmtime_attestation.evidence.envelope import Evidence, EvidenceType

CHECK = "input.format"
MAX_SIZE = 4 << 20
"""Bytes of input; hex doubles the largest evidence, and there is room to spare."""

_HEX = frozenset(b"0123456789abcdefABCDEF")
_BASE64 = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_=")
# Report versions in sight; a number beyond them is some other format.
_PLAUSIBLE_VERSIONS = range(1, 64)


@dataclass(frozen=True, slots=True)
class Token:
    """A token, not decoded."""

    text: str


def recognise(data: bytes) -> Token | Evidence:
    """Returns what the bytes are meant to be; whether they are valid is not asked here.

    Raises:
        RejectedError: `input.format`, if they are nothing that is known.
    """
    if len(data) > MAX_SIZE:
        raise RejectedError.of(CHECK, f"the input is larger than {MAX_SIZE} bytes")
    data = data.removeprefix(codecs.BOM_UTF8)
    text = data.strip()
    if text.isascii() and jwt.looks_like(text.decode("ascii")):
        return Token(text.decode("ascii"))
    return _evidence(_binary(data))


def _binary(data: bytes) -> bytes:
    """Undoes hex or base64; bytes that are neither stand for themselves."""
    text = b"".join(data.split()).removeprefix(b"0x")
    characters = frozenset(text)
    if text and characters <= _HEX and len(text) % 2 == 0:
        return bytes.fromhex(text.decode("ascii"))
    if text and characters <= _BASE64:
        standard = text.replace(b"-", b"+").replace(b"_", b"/").rstrip(b"=")
        try:
            return base64.b64decode(standard + b"=" * (-len(standard) % 4), validate=True)
        except binascii.Error:
            return data
    return data


def _evidence(data: bytes) -> Evidence:
    if _is_quote(data):
        return Evidence(EvidenceType.INTEL_TDX, data)
    version = int.from_bytes(data[:4], "little") if len(data) >= 4 else 0
    if len(data) == snp.SIZE or version in _PLAUSIBLE_VERSIONS:
        return Evidence(EvidenceType.AMD_SEV_SNP, data)
    raise RejectedError.of(
        CHECK,
        f"{len(data)} bytes that are neither a token nor evidence of a known kind; known are "
        f"evidence tokens, SEV-SNP attestation reports ({snp.SIZE} bytes) and TDX quotes",
    )


def _is_quote(data: bytes) -> bool:
    """A quote says its version, its key type, which is not zero, and the TEE: TDX is 0x81."""
    version, key_type = data[:2], data[2:4]
    tee = int.from_bytes(data[4:8], "little")
    return tee == tdx.TEE_TYPE and any(key_type) and version[0] in _PLAUSIBLE_VERSIONS
