"""The file of a configuration: found, read, and refused where others could have written it."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from wasmtime_attestation.config import SCHEMA
from wasmtime_attestation.config.layer import InFile, Layer
from wasmtime_attestation.config.paths import absolute
from wasmtime_attestation.errors import InvalidArgumentError
from wasmtime_attestation.policy.source import MAX_SIZE, Source
from wasmtime_attestation.policy.table import SettingError, Table

VARIABLE = "WASMTIME_ATTESTATION_CONFIG"
_FOREIGN_WRITERS = stat.S_IWGRP | stat.S_IWOTH
_ROOT = 0


def users_file(environment: Mapping[str, str]) -> Path | None:
    """Returns where a user's own configuration would be; None where there is no home of theirs."""
    folder = Path(environment.get("XDG_CONFIG_HOME", ""))
    if folder.is_absolute():  # the specification ignores others
        return folder / "wasmtime-attestation" / "config.toml"
    home = environment.get("HOME", "")
    # Who runs this as another user keeps HOME, and may not enter it: it is not that user's.
    is_own = bool(home) and os.access(home, os.X_OK)
    return Path(home) / ".config/wasmtime-attestation/config.toml" if is_own else None


def is_there(path: Path) -> bool:
    """Whether there is a file.

    Raises:
        InvalidArgumentError: this user may not look, so what it demands could go unheard.
    """
    try:
        return path.exists()
    except PermissionError as error:
        raise InvalidArgumentError(
            f"configuration {path} cannot be looked for: {error.strerror}; let this user enter "
            "its folder, or set HOME or XDG_CONFIG_HOME to folders of this user's own"
        ) from error


def layer(path: Path) -> Layer:
    """Reads a file.

    Raises:
        InvalidArgumentError: it cannot be read, others may write it, or it is no configuration.
    """
    source = Source.of(str(path), _read(path), "configuration")
    try:
        Table(source.values).version("schema", SCHEMA)
    except SettingError as error:
        raise source.error(error) from error
    return Layer(absolute(source.values, path.absolute().parent), InFile(source))


def _read(path: Path) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            _check(path, os.fstat(descriptor), path.absolute().parent.stat())
            return file.read(MAX_SIZE + 1)
    except OSError as error:
        raise InvalidArgumentError(
            f"configuration {path} cannot be read: {error.strerror or error}"
        ) from error


def _check(path: Path, status: os.stat_result, folder: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise InvalidArgumentError(f"configuration {path} is no file")
    for what, found in ((f"{path}", status), (f"{path.absolute().parent}", folder)):
        if found.st_uid not in (_ROOT, os.geteuid()):
            raise InvalidArgumentError(
                f"configuration {path} is refused: {what} belongs to user {found.st_uid}, who "
                "could say what this host trusts; chown it"
            )
        # In a folder such as /tmp nobody can replace the files of others.
        is_sticky = bool(found.st_mode & stat.S_ISVTX) and found is folder
        if found.st_mode & _FOREIGN_WRITERS and not is_sticky:
            raise InvalidArgumentError(
                f"configuration {path} is refused: others may write {what}, and so say what this "
                f"host trusts; chmod go-w {what}"
            )
