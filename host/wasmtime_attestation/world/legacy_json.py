"""The JSON of the legacy ABI's answers.

One rule covers every type of the world (`to_json`); two overrides keep what
guests in the field parse: the envelope of `attestation-result`, and the display
names of `tee-type`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from enum import StrEnum
from typing import TypeAlias

from wasmtime_attestation import wit
from wasmtime_attestation.errors import (
    AttestationError,
    Finding,
    InternalError,
    PolicyError,
    RejectedError,
    UnsupportedError,
)
from wasmtime_attestation.evidence import base64url

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | bool | None"

MAX_ANSWER = 50_000
"""The most bytes of JSON in one answer: some guests read no more."""
MAX_SAFE_INTEGER = 1 << 53
"""The largest integer that goes as a number; larger ones go as decimal strings."""

DISPLAY_NAMES = {
    wit.TeeType.NONE: "None",
    wit.TeeType.INTEL_TDX: "Intel TDX",
    wit.TeeType.AMD_SEV: "AMD SEV",
    wit.TeeType.AMD_SEV_SNP: "AMD SEV-SNP",
    wit.TeeType.NVIDIA_GPU: "NVIDIA GPU",
    wit.TeeType.SIMULATED: "Simulated",
}
"""What guests in the field compare `tee_type` with; other types read as their label."""

_PLAIN = re.compile(r"[ !#-\[\]-~]*")  # printable ASCII without " and \


def tee_info(info: wit.TeeInfo) -> bytes:
    """Returns the answer of `detect_tee`.

    Raises:
        UnsupportedError: it is larger than MAX_ANSWER.
    """
    return _bounded(to_json(info), "let the host give its provider a shorter name")


def attestation_result(result: wit.AttestationResult) -> bytes:
    """Returns the envelope of a success.

    Guests in the field read tokens without unescaping them, so the token must
    need no escapes.

    Raises:
        InternalError: the token has characters that this ABI does not carry.
        UnsupportedError: the envelope is larger than MAX_ANSWER.
    """
    if not _PLAIN.fullmatch(result.token):
        raise InternalError("the host made a token that is not plain ASCII; report this")
    advice = (
        "have the host leave out the evidence summary, which the token makes redundant"
        if result.evidence
        else "attest one target at a time, or pass less user data"
    )
    envelope: Json = {
        "success": True,
        "token": result.token,
        "evidence": result.evidence,
        "error": None,
        "timestamp": to_json(result.timestamp),
        "tee_type": to_json(result.tee_type),
    }
    return _bounded(envelope, advice)


def attestation_failure(error: AttestationError) -> bytes:
    """Returns the envelope of a failure.

    Its timestamp is 0: guests demand an integer, and nothing was issued.
    """
    envelope: Json = {
        "success": False,
        "token": None,
        "evidence": None,
        "error": _plain(error.message),
        "timestamp": 0,
        "error_code": error.case,
    }
    return _bounded_or(envelope, error, attestation_failure)


def ok(value: object, advice: str) -> bytes:
    """Returns the ok case of a `result`.

    Args:
        value: a value of the world's types.
        advice: what to leave out where the answer is too large.

    Raises:
        UnsupportedError: it is larger than MAX_ANSWER.
    """
    return _bounded({"ok": to_json(value)}, advice)


def err(error: AttestationError) -> bytes:
    """Returns the error case of a `result`."""
    value: object = error.message
    if isinstance(error, RejectedError | PolicyError):
        value = error.findings
    return _bounded_or({"err": {"case": error.case, "value": to_json(value)}}, error, err)


def to_json(value: object) -> Json:
    """Returns a value of the world's types as the legacy ABI writes it.

    Args:
        value: an item of `wit`, a `Finding`, or what these are made of.

    Raises:
        TypeError: it is none of these.
    """
    match value:
        case wit.TeeType():
            return DISPLAY_NAMES.get(value, value.value)
        case StrEnum():
            return value.value
        case bool() | str() | None:
            return value
        case int():
            return value if abs(value) <= MAX_SAFE_INTEGER else str(value)
        case bytes():
            return base64url.encode(value)
        case list() | tuple():
            return [to_json(item) for item in value]
        case _:
            return _record(value)


def _record(value: object) -> Json:
    if not is_dataclass(value) or isinstance(value, type):
        raise TypeError(f"the world has no type {type(value).__name__}")
    return {field.name: to_json(getattr(value, field.name)) for field in fields(value)}


def _encode(value: Json) -> bytes:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace")  # a lone surrogate has no UTF-8


def _bounded(value: Json, advice: str) -> bytes:
    answer = _encode(value)
    if len(answer) > MAX_ANSWER:
        raise UnsupportedError(
            f"the answer is {len(answer)} bytes long and the legacy ABI carries at most "
            f"{MAX_ANSWER}: {advice}, or call through the component model"
        )
    return answer


def _bounded_or(
    value: Json, error: AttestationError, encode: Callable[[AttestationError], bytes]
) -> bytes:
    answer = _encode(value)
    return answer if len(answer) <= MAX_ANSWER else encode(_shortened(error, len(answer)))


def _shortened(error: AttestationError, size: int) -> AttestationError:
    text = (
        f"the error is {size} bytes long and the legacy ABI carries at most {MAX_ANSWER}: "
        f"call through the component model for all of it; it begins {error.message[:1000]}"
    )
    if isinstance(error, RejectedError | PolicyError):
        return type(error)([Finding(error.findings[0].check[:1000], text)])
    return type(error)(text)


def _plain(text: str) -> str:
    text = text.replace('"', "'").replace("\\", "/")
    return "".join(c if _PLAIN.fullmatch(c) else "?" if c.isprintable() else " " for c in text)
