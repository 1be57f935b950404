"""Where a journal goes on: its last whole record, and what a power cut left behind it."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from wasmtime_attestation.errors import InternalError
from wasmtime_attestation.journal.chain import check_next
from wasmtime_attestation.journal.record import (
    MAX_LINE,
    BadRecordError,
    Head,
    Record,
    read,
)

MAX_TORN = 1 << 20
"""Bytes that are taken for torn; a power cut leaves no more."""
_END_OF_RECORD = re.compile(rb',"hash":"[0-9a-f]{64}"\}\n\Z')


@dataclass(frozen=True, slots=True)
class Torn:
    """What stands behind the last whole record.

    Attributes:
        size: bytes.
        sha256: their hash, in hex.
    """

    size: int
    sha256: str

    @classmethod
    def of(cls, data: bytes) -> Torn:
        """Returns what is kept of torn bytes."""
        return cls(len(data), hashlib.sha256(data).hexdigest())


@dataclass(frozen=True, slots=True)
class End:
    """The end of a file.

    Attributes:
        head: of the last whole record; None where there is none.
        size: bytes up to its end.
        first: the first record.
        torn: what stands behind, if anything.
    """

    head: Head | None
    size: int
    first: Record | None
    torn: Torn | None


def end_of(path: Path) -> End:
    """Reads a file and returns its end.

    Raises:
        InternalError: a record is wrong, and it has its end or whole ones follow: that is no
            power cut.
        OSError: the file cannot be read.
    """
    head, first, size = None, None, 0
    with path.open("rb") as file:
        while line := file.readline(MAX_LINE):
            try:
                record = read(line)
            except BadRecordError:
                return End(head, size, first, _torn(path, line, file))
            _check_follows(path, head, record)
            head, first, size = record.head, first or record, size + len(line)
    return End(head, size, first, None)


def _check_follows(path: Path, head: Head | None, record: Record) -> None:
    try:
        check_next(head, record)
    except BadRecordError as error:
        raise _tampered(path, str(error)) from error


def _torn(path: Path, line: bytes, file: BinaryIO) -> Torn:
    digest, size = hashlib.sha256(), 0
    while line:
        if _is_edited(line):
            raise _tampered(path, "a record was edited")
        digest.update(line)
        size += len(line)
        if size > MAX_TORN:
            raise _tampered(path, f"more than {MAX_TORN} bytes follow its last whole record")
        line = file.readline(MAX_LINE)
        if _is_record(line):
            raise _tampered(path, "a record is broken, and whole ones follow")
    return Torn(size, digest.hexdigest())


def _is_edited(line: bytes) -> bool:
    """Whether a line that is no record has the end of one: what a crash loses reads as zeros."""
    return _END_OF_RECORD.search(line) is not None and b"\0" not in line


def _is_record(line: bytes) -> bool:
    try:
        read(line)
    except BadRecordError:
        return False
    return True


def _tampered(path: Path, problem: str) -> InternalError:
    return InternalError(
        f"the journal {path} was changed ({problem}): no power cut does that; look at it with "
        "`journal verify`, and move its folder away to begin a new one"
    )
