"""Tells tokens and kinds of evidence apart, by content: binary, hex, base64 or JSON."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import dataclass

from wasmtime_attestation.errors import RejectedError
from wasmtime_attestation.evidence import (
    azure_documents,
    detached_eat,
    hcl,
    interchange,
    jwt,
    nvidia,
    snp,
    strict_json,
    tdx,
)
from wasmtime_attestation.evidence.envelope import Evidence, EvidenceType
from wasmtime_attestation.evidence.strict_json import Json
from wasmtime_attestation.evidence.td_report import TD_REPORT_SIZE
from wasmtime_attestation.evidence.text import decode

CHECK = "input.format"
MAX_SIZE = 4 << 20
"""Bytes of input; hex doubles the largest evidence, and there is room to spare."""

# Report versions in sight; a number beyond them is some other format.
_PLAUSIBLE_VERSIONS = range(1, 64)


@dataclass(frozen=True, slots=True)
class Token:
    """A token, not decoded.

    Attributes:
        text: the token.
        submodules: the tokens of devices that came beside it in a detached EAT; None where it
            came by itself.
    """

    text: str
    submodules: Mapping[str, str] | None = None

    @property
    def is_issued(self) -> bool:
        """Whether a service issued it: it names an issuer or submodules, as ours never does."""
        return self.submodules is not None or jwt.is_issued(self.text)


def recognise(data: bytes) -> Token | tuple[Evidence, ...]:
    """Returns what the bytes are meant to be; whether they are valid is not asked here.

    Evidence comes in one piece, or in several where a document holds that of several devices.

    Raises:
        RejectedError: `input.format`, if they are nothing that is known.
    """
    if len(data) > MAX_SIZE:
        raise RejectedError.of(CHECK, f"the input is larger than {MAX_SIZE} bytes")
    data = data.removeprefix(codecs.BOM_UTF8)
    text = data.strip()
    if text.isascii() and jwt.looks_like(text.decode("ascii")):
        return Token(text.decode("ascii"))
    if text.isascii() and detached_eat.is_wrapped(text.decode("ascii")):
        return _wrapped_eat(text.decode("ascii"))
    if text.startswith((b"{", b"[")):
        return _document(text)
    return (_evidence(decode(data) or data),)


def _wrapped_eat(text: str) -> Token:
    try:
        eat = detached_eat.unwrap(text)
    except (ValueError, RecursionError) as error:
        raise RejectedError.of(CHECK, f"this is no wrapped detached EAT: {error}") from error
    return Token(eat.overall, eat.submodules)


def _document(text: bytes) -> Token | tuple[Evidence, ...]:
    try:
        document = strict_json.loads(text, floats=True)
        return _wrapped_token(document) or interchange.read(document)
    except (ValueError, RecursionError) as error:
        raise RejectedError.of(CHECK, f"this JSON is no evidence that is known: {error}") from error


def _wrapped_token(document: Json) -> Token | None:
    """Services answer `{"token": ...}`, and NVIDIA's with a detached EAT."""
    if detached_eat.looks_like(document):
        eat = detached_eat.read(document)
        return Token(eat.overall, eat.submodules)
    match document:
        case {"token": str() as text, **others} if jwt.looks_like(text):
            if interchange.KEYS & others.keys():
                raise ValueError("it has a token and evidence; give one of them")
            return Token(text)
        case _:
            return None


def _evidence(data: bytes) -> Evidence:
    if data.startswith(hcl.SIGNATURE):
        return azure_documents.of_report(data)
    if _is_quote(data):
        return Evidence(EvidenceType.INTEL_TDX, data)
    if nvidia.looks_like(data):
        return Evidence(nvidia.type_of(data), data)
    version = int.from_bytes(data[:4], "little") if len(data) >= 4 else 0
    if len(data) == snp.SIZE or version in _PLAUSIBLE_VERSIONS:
        return Evidence(EvidenceType.AMD_SEV_SNP, data)
    if len(data) == TD_REPORT_SIZE:
        raise RejectedError.of(
            CHECK,
            f"{len(data)} bytes, as a TDREPORT has: its MAC can be verified on its own machine "
            "alone; have a TD quote made of it, and give that",
        )
    raise RejectedError.of(
        CHECK,
        f"{len(data)} bytes that are neither a token nor evidence of a known kind; known are "
        f"evidence tokens, SEV-SNP attestation reports ({snp.SIZE} bytes), TDX quotes, Azure's "
        "HCL reports and reports of NVIDIA GPUs and switches",
    )


def _is_quote(data: bytes) -> bool:
    """A quote says its version, its key type, which is not zero, and the TEE: TDX is 0x81."""
    version, key_type = data[:2], data[2:4]
    tee = int.from_bytes(data[4:8], "little")
    return tee == tdx.TEE_TYPE and any(key_type) and version[0] in _PLAUSIBLE_VERSIONS
