"""One writer a journal: the folder and the lock that keep others out."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
from pathlib import Path

from wasmtime_attestation.errors import InvalidArgumentError, UnavailableError

_LOCK = "lock"
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def lock(directory: Path) -> int:
    """Makes the folder, private to its user, and takes its lock.

    Returns:
        the descriptor that holds the lock until it is closed.

    Raises:
        InvalidArgumentError: the path is no folder, or others may write there.
        UnavailableError: it cannot be made, or another process writes this journal.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = directory.stat()
        descriptor = os.open(directory / _LOCK, _FLAGS, 0o600)
    except FileExistsError as error:
        raise InvalidArgumentError(f"{directory} is no folder; name one for the journal") from error
    except OSError as error:
        raise UnavailableError(
            f"no journal can be kept in {directory}: {named(error)}; name another folder, or make "
            "it writable"
        ) from error
    try:
        _check_private(directory, found)
        _take(directory, descriptor)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def check_private_file(path: Path, descriptor: int) -> None:
    """Refuses a file of a journal that is no ordinary file, or not its user's alone.

    Raises:
        InvalidArgumentError: others may write it, or it is another's.
    """
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
        raise InvalidArgumentError(f"{path} is no ordinary file, or has two names")
    _check_private(path, found)


def named(error: OSError) -> str:
    """Returns the name and the text of an error of the system."""
    return f"{errno.errorcode.get(error.errno or 0, 'error')}, {error.strerror}"


def _check_private(path: Path, found: os.stat_result) -> None:
    if found.st_uid != os.geteuid() or found.st_mode & _OTHERS_WRITE:
        raise InvalidArgumentError(
            f"{path} belongs to another user, or others may write it (mode "
            f"{found.st_mode & 0o7777:04o}): whoever can write a journal can cut its end; "
            f"`chown` it to the host's user and `chmod go-w` it"
        )


def _take(directory: Path, descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        text = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
        holder = text if text.isdigit() else "unknown"
        raise UnavailableError(
            f"another process (pid {holder}) writes the journal in {directory}; give each host a "
            "folder of its own"
        ) from error
    except OSError as error:
        raise UnavailableError(f"{directory} cannot be locked: {named(error)}") from error
    # Only for the message to the next one: a full disk must not keep this one out.
    with contextlib.suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
