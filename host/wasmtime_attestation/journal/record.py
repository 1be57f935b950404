"""A record: one line of JSON in its one canonical form, with its own hash at its end.

The hash is SHA-256 over the line up to `,"hash":"`, and so over the hash of the record before.
Under a checkpoint, the signature is over the line up to `,"signature":"`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from wasmtime_attestation.errors import Finding
from wasmtime_attestation.evidence import base64url
from wasmtime_attestation.evidence.strict_json import Json
from wasmtime_attestation.journal.form import KINDS, USUAL_DECISION

SCHEMA = 1
MAX_LINE = 1 << 17
"""Bytes of a record, its line end included."""
_HASH, _END = b',"hash":"', b'"}\n'
_HASH_SIZE = 64
_TAIL = len(_HASH) + _HASH_SIZE + len(_END)
_SIGNATURE, _SIGNATURE_SIZE = b',"signature":"', 128
_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


class BadRecordError(ValueError):
    """A line is no record, or not the one that belongs there.

    Attributes:
        finding: the check that failed, and what is wrong.
    """

    def __init__(self, check: str, detail: str) -> None:
        self.finding = Finding(check, detail)
        super().__init__(f"{check}: {detail}")


@dataclass(frozen=True, slots=True)
class Head:
    """Where a chain ends.

    Attributes:
        sequence: of the last record; 0 where there is none.
        digest: its hash, in hex.
    """

    sequence: int
    digest: str

    def __str__(self) -> str:
        return f"{self.sequence}:{self.digest}"


GENESIS = Head(0, "0" * _HASH_SIZE)
"""Before the first record."""


@dataclass(frozen=True)
class Record:
    """A record that was read or written.

    Attributes:
        line: its bytes.
        head: of a chain that ends with it.
        prev: the hash of the record before it.
        kind: its kind, a key of `KINDS`.
    """

    line: bytes
    head: Head
    prev: str
    kind: str

    @cached_property
    def members(self) -> Mapping[str, Json]:
        """What it says."""
        members: dict[str, Json] = json.loads(self.line)
        return members

    @property
    def signed(self) -> bytes:
        """What the signature of a checkpoint is over."""
        return self.line[: -_TAIL - _SIGNATURE_SIZE - len(_SIGNATURE) - 1]

    def text(self, name: str) -> str:
        """Returns a member that is text."""
        return str(self.members[name])

    def number(self, name: str) -> int:
        """Returns a member that is a number, 0 for null."""
        value = self.members[name]
        return value if isinstance(value, int) else 0


def write(
    sequence: int, members: Mapping[str, Json], sign: Callable[[bytes], bytes] | None = None
) -> Record:
    """Returns a record in its canonical form.

    Args:
        sequence: its number.
        members: all but the schema, the number, the signature and the hash, in their order.
        sign: signs a checkpoint.
    """
    body = _encode({"schema": SCHEMA, "seq": sequence, **members})[:-1].encode("ascii")
    if sign is not None:
        body += _SIGNATURE + base64url.encode(sign(body)).encode("ascii") + b'"'
    digest = hashlib.sha256(body).hexdigest()
    line = body + _HASH + digest.encode("ascii") + _END
    return Record(line, Head(sequence, digest), str(members["prev"]), str(members["kind"]))


def read(line: bytes) -> Record:
    """Reads a line.

    Raises:
        BadRecordError: `journal.format`, it is no record; `journal.hash`, its bytes were changed.
    """
    if not line.endswith(b"\n"):
        raise _format(
            f"it is longer than {MAX_LINE} bytes" if len(line) >= MAX_LINE else "it has no end"
        )
    if line[-_TAIL : -_TAIL + len(_HASH)] != _HASH or not line.endswith(_END):
        raise _format("it does not end with its hash")
    found = line[-len(_END) - _HASH_SIZE : -len(_END)]
    actual = hashlib.sha256(line[:-_TAIL]).hexdigest()
    if found != actual.encode("ascii"):
        raise BadRecordError(
            "journal.hash",
            f"it was edited: its bytes have the hash {actual}, which it does not say",
        )
    if usual := USUAL_DECISION.fullmatch(line):
        return Record(line, Head(int(usual[1]), actual), usual[2].decode("ascii"), "decision")
    members = _members(line)
    sequence, prev, kind = members["seq"], str(members["prev"]), str(members["kind"])
    return Record(line, Head(sequence if isinstance(sequence, int) else 0, actual), prev, kind)


def _members(line: bytes) -> dict[str, Json]:
    try:
        members = json.loads(line.decode("ascii"))
        canonical = _encode(members).encode("ascii") + b"\n"
        if b"\\u" in line:
            # Only an escape can spell half of a surrogate pair, which is no character.
            json.dumps(members, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise _format(f"it is no JSON: {error}") from error
    # One text for one meaning: no duplicate members, blanks, or other spellings of a character.
    if canonical != line:
        raise _format("it is not in its canonical form")
    if not isinstance(members, dict):
        raise _format("it is no JSON object")
    _check(members)
    return members


def _check(members: dict[str, Json]) -> None:
    kind = members.get("kind")
    form = KINDS.get(kind) if isinstance(kind, str) else None
    if members.get("schema") != SCHEMA or form is None:
        raise _format(f"it has another schema than {SCHEMA}, or an unknown kind")
    if [*members] != [*form]:
        raise _format(f"it has other members than {kind} has, or in another order")
    for name, fits in form.items():
        if not fits(members[name]):
            raise _format(f"{name} is not of its form")


def _format(problem: str) -> BadRecordError:
    return BadRecordError("journal.format", f"this is no record: {problem}")
