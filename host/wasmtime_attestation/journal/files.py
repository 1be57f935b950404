"""The files of a journal: a folder with one file after the other, named by their first record."""

from __future__ import annotations

import re
from pathlib import Path

from wasmtime_attestation.errors import InvalidArgumentError, UnavailableError

MAX_FILES = 1_000_000
"""Files of one journal that are looked at."""
_NAME = re.compile(r"journal-([0-9]{12,15})\.jsonl")


def name_of(sequence: int) -> str:
    """Returns the name of the file whose first record has a sequence number."""
    return f"journal-{sequence:012}.jsonl"


def sequence_of(path: Path) -> int | None:
    """Returns the sequence number that a file's name says; None where it is no such name."""
    match = _NAME.fullmatch(path.name)
    return None if match is None else int(match[1])


def listing(directory: Path) -> list[Path]:
    """Returns the files of a journal, the oldest first.

    Raises:
        InvalidArgumentError: there is no such folder, or something in it poses as a file of it.
        UnavailableError: it cannot be read, or has too many files.
    """
    found: dict[int, Path] = {}
    try:
        for path in directory.iterdir():
            sequence = sequence_of(path)
            if sequence is not None and path.name == name_of(sequence):
                # Whoever opens a pipe waits for ever.
                if path.exists() and not path.is_file():
                    raise InvalidArgumentError(f"{path} is no ordinary file, as a journal's are")
                found[sequence] = path
            if len(found) > MAX_FILES:
                raise UnavailableError(f"{directory} has more than {MAX_FILES} files")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InvalidArgumentError(f"{directory} is no folder: there is no journal") from error
    except OSError as error:
        raise UnavailableError(f"{directory} cannot be read: {error.strerror}") from error
    return [found[sequence] for sequence in sorted(found)]
