"""A folder of this user's alone, whose files appear whole or not at all.

Everything goes by the folder's descriptor, so that nobody can put another one in its place.
"""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from wasmtime_attestation.errors import UnavailableError

_TEMPORARY = ".tmp-"
_STALE = 3600.0
"""Seconds after which a temporary file belongs to a process that was killed."""
_FOREIGN_WRITERS = stat.S_IWGRP | stat.S_IWOTH
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def default_folder() -> Path | None:
    """Returns the folder of this user's cache (XDG Base Directory Specification), if any."""
    named = Path(os.environ.get("XDG_CACHE_HOME", ""))
    try:
        home = named if named.is_absolute() else Path.home() / ".cache"
    except RuntimeError:
        # Python's, where neither HOME nor the user's entry says it.
        return None
    return home / "wasmtime-attestation"


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file in the folder: bytes, and seconds since 1970."""

    name: str
    size: int
    written: float


class CacheFolder:
    """A folder; `open` makes it where it is not there.

    Args:
        descriptor: of the folder; it is closed at the end of the context.
        is_secret: whether others may not even read.
    """

    def __init__(self, descriptor: int, *, is_secret: bool = False) -> None:
        self._descriptor = descriptor
        self._forbidden = _OTHERS if is_secret else 0

    @classmethod
    @contextlib.contextmanager
    def open(cls, path: Path, *, is_secret: bool = False) -> Iterator[CacheFolder]:
        """Opens the folder.

        Args:
            path: where it is.
            is_secret: whether others may not even read it, nor any file in it.

        Raises:
            UnavailableError: somebody else owns it or may write to it, or it cannot be had.
        """
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            raise UnavailableError(f"{path} cannot be used: {error.strerror}") from error
        try:
            _check(path, os.fstat(descriptor), is_secret=is_secret)
            yield cls(descriptor, is_secret=is_secret)
        finally:
            os.close(descriptor)

    def read(self, name: str, limit: int) -> bytes | None:
        """Returns a file's bytes, or None if it is not there, not a file, or too large."""
        file = self.open_file(name)
        if file is None:
            return None
        with file:
            data = file.read(limit + 1)
        return data if len(data) <= limit else None

    def open_file(self, name: str) -> BufferedReader | None:
        """Opens a file to read it, or returns None if it is not there or not a file of ours."""
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        try:
            descriptor = os.open(name, flags, dir_fd=self._descriptor)
        except OSError:
            return None
        status = os.fstat(descriptor)
        is_ours = stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid()
        if not is_ours or status.st_mode & self._forbidden:
            os.close(descriptor)
            return None
        return os.fdopen(descriptor, "rb")

    def write(self, name: str, *parts: bytes | bytearray, is_durable: bool = True) -> None:
        """Puts a file in place: whoever reads finds the old bytes or the new ones.

        Args:
            name: what it is called.
            parts: its bytes, one part after the other.
            is_durable: whether this holds when the machine stops, too.

        Raises:
            OSError: it cannot be written.
        """
        with self._temporary(parts, is_durable=is_durable) as temporary:
            os.rename(temporary, name, src_dir_fd=self._descriptor, dst_dir_fd=self._descriptor)
        if is_durable:
            os.fsync(self._descriptor)

    def create(self, name: str, data: bytes) -> None:
        """Puts a file in place, unless there is one.

        Raises:
            OSError: it cannot be written.
        """
        with self._temporary([data], is_durable=True) as temporary:
            folder = self._descriptor
            with contextlib.suppress(FileExistsError):
                os.link(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
            self.remove(temporary)

    @contextlib.contextmanager
    def _temporary(self, parts: Iterable[bytes | bytearray], *, is_durable: bool) -> Iterator[str]:
        """Writes a file that nobody looks for; it is removed if something fails."""
        name = f"{_TEMPORARY}{os.getpid()}-{os.urandom(8).hex()}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(name, flags, 0o600, dir_fd=self._descriptor)
        try:
            with os.fdopen(descriptor, "wb") as file:
                for part in parts:
                    file.write(part)
                file.flush()
                if is_durable:
                    os.fsync(file.fileno())
            yield name
        except BaseException:
            self.remove(name)
            raise

    def remove(self, name: str) -> None:
        """Removes a file, if it is there and can be removed."""
        with contextlib.suppress(OSError):
            os.unlink(name, dir_fd=self._descriptor)

    def touch(self, name: str) -> None:
        """Makes a file the newest one, if it is there."""
        with contextlib.suppress(OSError):
            os.utime(name, dir_fd=self._descriptor, follow_symlinks=False)

    def trim(self, entries: int, size: int, kept: Collection[str] = ()) -> None:
        """Removes the oldest files, but those that are kept, where there are too many of them.

        Args:
            entries: how many there may be.
            size: how many bytes they may have together.
            kept: names of files that do not count.
        """
        files = [file for file in self.files() if file.name not in kept]
        total = sum(file.size for file in files)
        while files and (len(files) > entries or total > size):
            oldest = files.pop(0)
            total -= oldest.size
            self.remove(oldest.name)

    def files(self) -> list[StoredFile]:
        """Returns the files, the oldest first; what killed processes left is removed."""
        found = []
        with os.scandir(self._descriptor) as entries:
            names = [entry.name for entry in entries]
        for name in names:
            try:
                status = os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)
            except OSError:
                continue
            if not name.startswith(_TEMPORARY):
                found.append(StoredFile(name, status.st_size, status.st_mtime))
            elif time.time() - status.st_mtime > _STALE:
                self.remove(name)
        return sorted(found, key=lambda file: file.written)


def _check(path: Path, status: os.stat_result, *, is_secret: bool) -> None:
    if status.st_uid != os.geteuid():
        raise UnavailableError(
            f"{path} belongs to user {status.st_uid}, not to you ({os.geteuid()}): nothing is "
            "kept there; set XDG_CACHE_HOME to a folder of yours"
        )
    if status.st_mode & _FOREIGN_WRITERS:
        raise UnavailableError(
            f"{path} can be written by others: nothing is kept there; chmod 700 it"
        )
    if is_secret and status.st_mode & _OTHERS:
        raise UnavailableError(
            f"{path} can be read by others: no tokens are kept there; chmod 700 it"
        )
