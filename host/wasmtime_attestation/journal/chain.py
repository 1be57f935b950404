"""Goes through the records of a journal in their order, and says which is the first that is wrong.

One pass with bounded memory: a line is read up to the size that a record may have.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from wasmtime_attestation.journal.files import sequence_of
from wasmtime_attestation.journal.record import (
    GENESIS,
    MAX_LINE,
    BadRecordError,
    Head,
    Record,
    read,
)

_PAUSE = 0.05
"""Seconds until a line that has no end is read on."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record stands.

    Attributes:
        file: the file.
        line: its line, from 1.
        sequence: the number that belongs there; 0 where nothing says it.
    """

    file: Path
    line: int
    sequence: int

    def __str__(self) -> str:
        number = f" (record {self.sequence})" if self.sequence else ""
        return f"{self.file}:{self.line}{number}"


class BrokenChainError(ValueError):
    """A record is wrong.

    Attributes:
        place: the first one.
        reason: what is wrong with it.
    """

    def __init__(self, place: Place, reason: BadRecordError) -> None:
        self.place = place
        self.reason = reason
        super().__init__(f"{place}: {reason}")


def walk(
    files: Sequence[Path], begin: Head | None = None, *, named: bool = True
) -> Iterator[tuple[Place, Record]]:
    """Yields every record, each held against the one before.

    Args:
        files: in their order.
        begin: the head before the first; None to begin with whatever stands there.
        named: whether a file's name must say its first record.

    Raises:
        BrokenChainError: a record is wrong.
        OSError: a file cannot be read.
    """
    head = begin
    for index, path in enumerate(files):
        before = head
        with path.open("rb") as file:
            for place, record in _records(path, file, head):
                if place.line == 1:
                    _check_first(place, record, named=named)
                head = record.head
                yield place, record
        # A crash at a rotation leaves the last file empty, and no other.
        if head is before and index + 1 < len(files):
            place = Place(path, 1, head.sequence + 1 if head else sequence_of(path) or 0)
            raise BrokenChainError(place, _chain("the file is empty: its records were taken away"))


def _records(path: Path, file: BinaryIO, head: Head | None) -> Iterator[tuple[Place, Record]]:
    number = 0
    while line := _line(file):
        number += 1
        try:
            record = read(line)
            check_next(head, record)
        except BadRecordError as error:
            sequence = head.sequence + 1 if head else sequence_of(path) or 0
            raise BrokenChainError(Place(path, number, sequence), error) from error
        head = record.head
        yield Place(path, number, head.sequence), record


def _line(file: BinaryIO) -> bytes:
    """Returns the next line; a reader can be faster than the host that writes it."""
    line = file.readline(MAX_LINE)
    if line and not line.endswith(b"\n") and len(line) < MAX_LINE:
        time.sleep(_PAUSE)
        line += file.readline(MAX_LINE - len(line))
    return line


def check_next(head: Head | None, record: Record) -> None:
    """Checks that a record follows a head.

    Raises:
        BadRecordError: `journal.chain`.
    """
    sequence, prev = record.head.sequence, record.prev
    if head is None:
        if (sequence == 1) != (prev == GENESIS.digest) or sequence == 0:
            raise _chain("it says that it is the first, and that it is not")
    elif sequence > head.sequence + 1:
        missing = f"{head.sequence + 1} to {sequence - 1}"
        raise _chain(
            f"it has the number {sequence}: records {missing} were dropped, or it was moved"
        )
    elif sequence <= head.sequence:
        raise _chain(f"its number is {sequence}, which was there before: it was repeated or moved")
    elif prev != head.digest:
        raise _chain(
            f"it follows a record with the hash {prev}, not the one before it ({head.digest}): "
            "one of both was exchanged, or comes from another journal"
        )


def _check_first(place: Place, record: Record, *, named: bool) -> None:
    sequence = record.head.sequence
    if named and sequence_of(place.file) != sequence:
        reason = _chain(f"the file's name does not say its first record, {sequence}")
        raise BrokenChainError(place, reason)
    if record.kind != ("open" if sequence == 1 else "rotation"):
        raise BrokenChainError(place, _chain(f"a file does not begin with the kind {record.kind}"))


def _chain(problem: str) -> BadRecordError:
    return BadRecordError("journal.chain", problem)
