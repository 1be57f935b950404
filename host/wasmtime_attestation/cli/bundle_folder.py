"""Bundles of endorsements on disk: a folder of files as vendors served them."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path

from wasmtime_attestation.endorsers.question import Piece
from wasmtime_attestation.errors import InvalidArgumentError


def write(folder: Path, pieces: Sequence[Piece]) -> list[Path]:
    """Writes pieces into a folder, each file whole or not at all; older ones are replaced.

    Args:
        folder: is made where it is not there.
        pieces: of several with one name and other bytes, the later have a number.

    Returns:
        the files.

    Raises:
        InvalidArgumentError: one cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        named = dict(_named(pieces))
        for name, data in named.items():
            _write(folder / name, data)
    except OSError as error:
        raise InvalidArgumentError(
            f"{error.filename or folder} cannot be written: {error.strerror}"
        ) from error
    return [folder / name for name in named]


def _named(pieces: Sequence[Piece]) -> Iterator[tuple[str, bytes]]:
    taken: dict[str, bytes] = {}
    for piece in pieces:
        name, number = piece.file, 1
        while taken.get(name, piece.data) != piece.data:
            number += 1
            stem, dot, suffix = piece.file.rpartition(".")
            name = f"{stem}.{number}{dot}{suffix}"
        taken[name] = piece.data
        yield name, piece.data


def _write(path: Path, data: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
