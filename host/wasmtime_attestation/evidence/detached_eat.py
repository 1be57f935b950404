"""NVIDIA's detached EAT: a token about all devices, and one for each that it names by digest.

`[["JWT", "<overall>"], {"GPU-0": "<token>", ...}]` as the Remote Attestation Service answers, or
the same under `detached_eat` in the output of `nvattest`. Where one text without quotation marks
is needed, it is wrapped: base64url of the JSON without white space, devices in the order of their
names (`docs/token.md`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from wasmtime_attestation.evidence import base64url, strict_json
from wasmtime_attestation.evidence.strict_json import Json

MAX_SUBMODULES = 64
"""Devices in one answer; the largest systems have 8 GPUs and 4 switches."""
# One name for one number.
_NAME = re.compile(r"(GPU|SWITCH)-(0|[1-9]\d{0,2})", re.ASCII)
_KEY = "detached_eat"
MAX_WRAPPED = 1 << 20
"""Characters of a wrapped one."""
# Nine bytes are twelve characters: every wrapped one begins with these.
_WRAPPED = base64url.encode(b'[["JWT","')


@dataclass(frozen=True, slots=True)
class DetachedEat:
    """The tokens, none of them decoded.

    Attributes:
        overall: the token about all devices.
        submodules: the token of each device by its name.
    """

    overall: str
    submodules: Mapping[str, str]


def looks_like(document: Json) -> bool:
    """Whether a parsed document can be meant as a detached EAT."""
    if isinstance(document, dict):
        return _KEY in document
    return isinstance(document, list) and bool(document) and _is_tagged(document[0])


def read(document: Json) -> DetachedEat:
    """Reads a detached EAT.

    Raises:
        ValueError: it is none.
    """
    parts = document.get(_KEY) if isinstance(document, dict) else document
    if not isinstance(parts, list) or len(parts) != 2:
        raise ValueError("a detached EAT has two parts: a token and the tokens of the devices")
    return DetachedEat(_overall(parts[0]), _submodules(parts[1]))


def wrap(eat: DetachedEat) -> str:
    """Returns a detached EAT as one text of letters, digits, `-` and `_`."""
    parts: list[Json] = [["JWT", eat.overall], dict(sorted(eat.submodules.items()))]
    return base64url.encode(json.dumps(parts, separators=(",", ":")).encode("ascii"))


def is_wrapped(text: str) -> bool:
    """Whether a text can be meant as a wrapped detached EAT."""
    return text.startswith(_WRAPPED)


def unwrap(text: str) -> DetachedEat:
    """Reads a wrapped detached EAT, of which there is one text alone.

    Raises:
        ValueError: it is none.
    """
    if len(text) > MAX_WRAPPED:
        raise ValueError(f"it has {len(text)} characters; {MAX_WRAPPED} is the limit")
    eat = read(strict_json.loads(base64url.decode(text)))
    if wrap(eat) != text:
        raise ValueError("a wrapped detached EAT is JSON without white space, devices in order")
    return eat


def _is_tagged(part: Json) -> bool:
    return isinstance(part, list) and part[:1] == ["JWT"]


def _overall(part: Json) -> str:
    if not isinstance(part, list) or len(part) != 2 or not _is_tagged(part):
        raise ValueError('the first part of a detached EAT is ["JWT", token]')
    if not isinstance(part[1], str):
        raise ValueError("the overall token is no string")
    return part[1]


def _submodules(part: Json) -> dict[str, str]:
    if not isinstance(part, dict) or len(part) > MAX_SUBMODULES:
        raise ValueError(f"the second part is no object of at most {MAX_SUBMODULES} tokens")
    found = {}
    for name, token in part.items():
        if not _NAME.fullmatch(name) or not isinstance(token, str):
            raise ValueError("the second part has something else than tokens of GPU-n and SWITCH-n")
        found[name] = token
    return found
