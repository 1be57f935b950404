"""Reads records for people and programs, without holding one against another."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from wasmtime_attestation.journal.chain import Place
from wasmtime_attestation.journal.files import listing, sequence_of
from wasmtime_attestation.journal.record import MAX_LINE, BadRecordError, Record, read

Entry = tuple[Place, Record | BadRecordError]
"""A record, or what is wrong with the line in its place."""


def entries(files: Sequence[Path]) -> Iterator[Entry]:
    """Yields every line; of lines that are too long only the first part.

    Raises:
        OSError: a file cannot be read.
    """
    for path in files:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(MAX_LINE):
                number += 1
                yield _entry(path, number, line)
                if not line.endswith(b"\n"):
                    _skip(file)


def follow(directory: Path, last: int, pause: Callable[[], None]) -> Iterator[Entry]:
    """Yields the last entries of the newest file, and then each that is added, without an end.

    Args:
        directory: the journal's folder.
        last: how many of those that are there.
        pause: waits a moment.

    Raises:
        InvalidArgumentError: there is no such folder.
        OSError: a file cannot be read.
    """
    path = _newest(directory, pause)
    backlog: deque[Entry] | None = deque(maxlen=last)
    number = 0
    while True:
        with path.open("rb") as file:
            while True:
                # Asked before reading: once there is a newer file, this one has its last line.
                newer = _newer(directory, path)
                for line in _whole_lines(file):
                    number += 1
                    if backlog is None:
                        yield _entry(path, number, line)
                    else:
                        backlog.append(_entry(path, number, line))
                if backlog is not None:
                    yield from backlog
                    backlog = None
                if newer is not None:
                    break
                pause()
        path, number = newer, 0


def _entry(path: Path, number: int, line: bytes) -> Entry:
    try:
        record = read(line)
    except BadRecordError as error:
        return Place(path, number, 0), error
    return Place(path, number, record.head.sequence), record


def _skip(file: BinaryIO) -> None:
    """Goes to the end of a line that is too long."""
    while (rest := file.readline(MAX_LINE)) and not rest.endswith(b"\n"):
        pass


def _whole_lines(file: BinaryIO) -> Iterator[bytes]:
    """Yields the lines that have an end, and stays before the one that has none yet."""
    while line := file.readline(MAX_LINE):
        if not line.endswith(b"\n") and len(line) < MAX_LINE:
            file.seek(-len(line), os.SEEK_CUR)
            return
        yield line


def _newest(directory: Path, pause: Callable[[], None]) -> Path:
    while not (files := listing(directory)):
        pause()
    return files[-1]


def _newer(directory: Path, path: Path) -> Path | None:
    own = sequence_of(path) or 0
    return next((file for file in listing(directory) if (sequence_of(file) or 0) > own), None)
