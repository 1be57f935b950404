"""The lines of `verify --batch`: what each asks for (docs/batch.md)."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import BinaryIO, NamedTuple

from wasmtime_attestation.batch.terms import Terms
from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.embedding.examination import Request
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.errors import InvalidArgumentError
from wasmtime_attestation.evidence import strict_json
from wasmtime_attestation.evidence.strict_json import Json
from wasmtime_attestation.memo import recall

MAX_LINE = 8 << 20
"""Bytes in a line: the largest evidence in hex, and room for endorsements."""
MAX_ID = 256
"""Characters in an `id`."""
_MEMBERS = {"id", "evidence", "token", "endorsements", "report_data", "nonce", "audience"}


class Line(NamedTuple):
    """A line of input and its number; None in place of one that is too long."""

    number: int
    text: bytes | None


def read(file: BinaryIO) -> Iterator[Line]:
    """Reads line by line, however long they are; empty ones count and are left out."""
    number = 0
    while text := file.readline(MAX_LINE + 1):
        number += 1
        if len(text) > MAX_LINE and not text.endswith(b"\n"):
            while (rest := file.readline(MAX_LINE)) and not rest.endswith(b"\n"):
                pass
            yield Line(number, None)
        elif text.strip():
            yield Line(number, text)


def decode(line: Line) -> dict[str, Json]:
    """Returns the members of a line.

    Raises:
        ValueError: it is no item.
    """
    if line.text is None:
        raise ValueError(f"it has more than {MAX_LINE} bytes")
    # A document of evidence may have numbers that are none of ours.
    members = strict_json.loads(line.text, floats=True)
    if not isinstance(members, dict):
        raise ValueError("it is no JSON object")
    if unknown := sorted(members.keys() - _MEMBERS):
        raise ValueError(f"it has members that are not known: {strict_json.brief([*unknown])}")
    if len(members.keys() & {"evidence", "token"}) != 1:
        raise ValueError("it must have either evidence or a token")
    return members


def id_of(members: dict[str, Json]) -> str | None:
    """Returns the line's `id`, or None; raises ValueError where it is none."""
    return _text(members, "id", MAX_ID) if "id" in members else None


def request_of(terms: Terms[Request], members: dict[str, Json], name: str) -> Request:
    """Returns what a line asks for; what it does not say holds as for all.

    Raises:
        ValueError: a member is ill-formed.
        InvalidArgumentError: its endorsements cannot be read.
    """
    common = terms.value
    expected = common.expected
    if "nonce" in members:
        expected = replace(expected, nonce=_hex(members, "nonce", range(8, 65)))
    if "audience" in members:
        expected = replace(expected, audience=_text(members, "audience", MAX_ID))
    return replace(
        common,
        name=name,
        data=_data(members),
        must_be_token="token" in members,
        endorsements=_endorsements(terms, members),
        expected=expected,
        report_data=(
            _hex(members, "report_data", range(64, 65))
            if "report_data" in members
            else common.report_data
        ),
        memo=terms.memo,
    )


def _data(members: dict[str, Json]) -> bytes:
    """A document may stand in a line as it is, or as text."""
    if "token" in members:
        token = members["token"]
        if not isinstance(token, str):
            raise ValueError("a token is text")
        return token.encode()
    evidence = members["evidence"]
    if isinstance(evidence, dict | list):
        return json.dumps(evidence).encode()
    if not isinstance(evidence, str):
        raise ValueError("evidence is text or a document")
    return evidence.encode()


def _endorsements(terms: Terms[Request], members: dict[str, Json]) -> Endorsements:
    common = terms.value.endorsements
    texts = members.get("endorsements", [])
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise ValueError("endorsements is no list of texts")
    if not texts:
        return common
    given = tuple(map(str, texts))
    return recall(terms.memo, _read, given, common, at=terms.value.at, ledger=Ledger())


def _read(
    texts: tuple[str, ...], common: Endorsements, at: datetime, ledger: Ledger
) -> Endorsements:
    """Reads the endorsements of a line: PEM, hex, Intel's JSON, or a file in base64."""
    del at, ledger
    files = [(f"endorsements[{index}]", _file(text)) for index, text in enumerate(texts)]
    own = Endorsements.from_files(files)
    if own.key_sets:
        # Everything else proves itself; keys are trusted because of who gave them.
        raise InvalidArgumentError(
            "an issuer's keys stand in the endorsements of a line, which may come with the token: "
            "give them for all lines, with --issuer or --endorsements"
        )
    found = own + common
    found.check_size()
    return found


def _file(text: str) -> bytes:
    data = text.strip().encode()
    if data.startswith((b"{", b"-----BEGIN ")) or set(data) <= set(b"0123456789abcdefABCDEF"):
        return data
    return base64.b64decode(data, validate=True)


def _text(members: dict[str, Json], name: str, most: int) -> str:
    value = members[name]
    if not isinstance(value, str) or len(value) > most:
        raise ValueError(f"{name} is no text of at most {most} characters")
    return value


def _hex(members: dict[str, Json], name: str, sizes: range) -> bytes:
    data = bytes.fromhex(_text(members, name, 2 * sizes[-1]))
    if len(data) not in sizes:
        raise ValueError(f"{name} has {len(data)} bytes, not {sizes[0]} to {sizes[-1]}")
    return data
