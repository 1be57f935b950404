"""The members of each kind of record, and what each may hold: schema 1 of `docs/journal.md`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType

from wasmtime_attestation.evidence.strict_json import Json
from wasmtime_attestation.journal.decision import (
    MAX_AUDIENCE,
    MAX_DETAIL,
    MAX_EVIDENCE,
    MAX_FINDINGS,
    MAX_TEXT,
)

MAX_TOKEN = 1 << 16
"""Characters of the token that attests the host's key."""
# Each of a fixed length, so that nothing is ever tried twice.
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{6}Z")
# Instants that there are in any year; the others are left to the long way.
_USUAL_TIME = (
    r"[1-9][0-9]{3}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])"
    r"|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
    r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9][.][0-9]{6}Z"
)
_LABEL = re.compile(r"[a-z0-9-]{1,64}")
Fits = Callable[[Json], bool]


def _number(value: Json) -> bool:
    # `type`: true is no number.
    return type(value) is int and 0 <= value < 2**63


def _text(limit: int) -> Fits:
    return lambda value: type(value) is str and len(value) <= limit


def _formed(pattern: re.Pattern[str]) -> Fits:
    matches = pattern.fullmatch
    return lambda value: type(value) is str and matches(value) is not None


def _instant(value: Json) -> bool:
    if type(value) is not str or _TIME.fullmatch(value) is None:
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _or_null(fits: Fits) -> Fits:
    return lambda value: value is None or fits(value)


def _each(fits: Fits, limit: int) -> Fits:
    return lambda value: type(value) is list and len(value) <= limit and all(map(fits, value))


def _finding(value: Json) -> bool:
    return (
        type(value) is dict
        and list(value) == ["check", "detail"]
        and _text(MAX_TEXT)(value["check"])
        and _text(MAX_DETAIL)(value["detail"])
    )


def _key(value: Json) -> bool:
    return (
        type(value) is dict
        and list(value) == ["crv", "kty", "x", "y"]
        and all(map(_text(MAX_TEXT), value.values()))
    )


_LABELLED = _formed(_LABEL)
_DIGEST = _formed(re.compile(r"[0-9a-f]{64}"))
_SIGNED = _formed(re.compile(r"[A-Za-z0-9_-]{128}"))
_NAME = _or_null(_text(MAX_TEXT))
HEADER: Mapping[str, Fits] = MappingProxyType(
    {
        "schema": _number,
        "seq": _number,
        "time": _instant,
        "instance": _formed(re.compile(r"[0-9a-f]{32}")),
        "kind": _LABELLED,
    }
)
"""What every record begins with."""


def _form(members: Mapping[str, Fits], *, signed: bool = False) -> Mapping[str, Fits]:
    last = {"prev": _DIGEST, **({"signature": _SIGNED} if signed else {}), "hash": _DIGEST}
    return MappingProxyType({**HEADER, **members, **last})


KINDS: Mapping[str, Mapping[str, Fits]] = MappingProxyType(
    {
        "open": _form(
            {
                "key_thumbprint": _or_null(_DIGEST),
                "checkpoint_records": _or_null(_number),
            }
        ),
        "decision": _form(
            {
                "function": _LABELLED,
                "verdict": _LABELLED,
                "guest": _NAME,
                "guest_digest": _or_null(_DIGEST),
                "target": _NAME,
                "nonce_sha256": _or_null(_DIGEST),
                "audience": _or_null(_text(MAX_AUDIENCE)),
                "evidence_sha256": _each(_DIGEST, MAX_EVIDENCE),
                "token_sha256": _or_null(_DIGEST),
                "service": _NAME,
                "policy": _NAME,
                "findings": _each(_finding, MAX_FINDINGS),
                "duration_us": _number,
            }
        ),
        "attestation": _form({"token_sha256": _DIGEST, "token": _or_null(_text(MAX_TOKEN))}),
        "checkpoint": _form(
            {"reason": _LABELLED, "key": _key, "attestation": _or_null(_DIGEST)},
            signed=True,
        ),
        "rotation": _form({"former": _text(MAX_TEXT), "oldest": _number, "reason": _LABELLED}),
        "repair": _form({"cut_bytes": _number, "cut_sha256": _DIGEST}),
        "gap": _form(
            {"lost": _number, "since": _instant, "cause": _text(MAX_TEXT), "calls": _LABELLED}
        ),
    }
)
"""The members of each kind, in their order."""


def _usual_decision() -> re.Pattern[bytes]:
    """Most decisions have no text with escapes; such a line is read by one match.

    It takes no line that is not a record by the table above. Nothing in it is tried twice, since
    the character after each part is none of that part.
    """
    hexes, label = '"[0-9a-f]{64}"', '"[a-z0-9-]{1,64}"'
    number = "(?:0|[1-9][0-9]{0,17}+)"

    def text(limit: int) -> str:
        return rf'"[ !#-\[\]-~]{{0,{limit}}}+"'

    def each(item: str, limit: int) -> str:
        return rf"\[(?:{item}(?:,{item}){{0,{limit - 1}}}+)?+\]"

    name, digest = f"(?:null|{text(MAX_TEXT)})", f"(?:null|{hexes})"
    finding = rf'\{{"check":{text(MAX_TEXT)},"detail":{text(MAX_DETAIL)}\}}'
    members = {
        "schema": "1",
        "seq": f"({number})",
        "time": f'"{_USUAL_TIME}"',
        "instance": '"[0-9a-f]{32}"',
        "kind": '"decision"',
        "function": label,
        "verdict": label,
        "guest": name,
        "guest_digest": digest,
        "target": name,
        "nonce_sha256": digest,
        "audience": f"(?:null|{text(MAX_AUDIENCE)})",
        "evidence_sha256": each(hexes, MAX_EVIDENCE),
        "token_sha256": digest,
        "service": name,
        "policy": name,
        "findings": each(finding, MAX_FINDINGS),
        "duration_us": number,
        "prev": '"([0-9a-f]{64})"',
        "hash": hexes,
    }
    body = ",".join(f'"{name}":{pattern}' for name, pattern in members.items())
    return re.compile(rf"\{{{body}\}}\n".encode("ascii"))


USUAL_DECISION = _usual_decision()
"""A decision in its canonical form whose text has no escapes; groups are its number and `prev`."""
