"""The file of a recording: whole or not at all, for its user alone."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from wasmtime_attestation.attesters.recording import Recording
from wasmtime_attestation.errors import InvalidArgumentError

MAX_SIZE = 32 << 20
"""Bytes in a file."""


def read(path: Path) -> Recording:
    """Reads a recording.

    Raises:
        InvalidArgumentError: it cannot be read, or is none.
    """
    try:
        if not path.is_file():
            path.stat()  # says that there is nothing, if so
            raise InvalidArgumentError(f"{path} is no file")
        with path.open("rb") as file:
            data = file.read(MAX_SIZE + 1)
    except OSError as error:
        raise InvalidArgumentError(f"{path} cannot be read: {error.strerror}") from error
    if len(data) > MAX_SIZE:
        raise InvalidArgumentError(f"{path} has more than {MAX_SIZE} bytes; it is no recording")
    try:
        return Recording.decode(data)
    except (ValueError, RecursionError) as error:
        raise InvalidArgumentError(f"{path} is no recording: {error}") from error


def write(path: Path, recording: Recording) -> None:
    """Writes a recording, whole or not at all, for this user alone.

    Raises:
        InvalidArgumentError: it cannot be written.
    """
    data = recording.encode()
    named, path = path, Path(os.path.realpath(path))  # a link, such as /dev/stdout, has to stay
    if named.exists() and not named.is_file():
        raise InvalidArgumentError(
            f"{named} cannot be written: it is no regular file, and would be replaced by one"
        )
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise InvalidArgumentError(f"{path} cannot be written: {error.strerror}") from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except OSError as error:
        raise InvalidArgumentError(f"{path} cannot be written: {error.strerror}") from error
    finally:
        with contextlib.suppress(FileNotFoundError):
            Path(name).unlink()
