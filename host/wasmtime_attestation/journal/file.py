"""The file that a journal writes to: whole lines, or nothing."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from wasmtime_attestation.journal.lock import check_private_file

_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW


class JournalFile:
    """An open file; how long it should be is its owner's knowledge.

    Attributes:
        path: where it is.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    @classmethod
    def create(cls, path: Path) -> JournalFile:
        """Makes a new file, private to its user; an empty one that is there will do.

        Raises:
            OSError: it cannot be made.
            InvalidArgumentError: it is there, and others may write it.
        """
        try:
            return cls(path, os.open(path, _FLAGS | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            # Left by who was interrupted at a rotation.
            if path.stat().st_size:
                raise
            return cls.open(path, 0)

    @classmethod
    def open(cls, path: Path, size: int) -> JournalFile:
        """Opens a file, and cuts what stands behind its whole records.

        Raises:
            OSError: it cannot be opened.
            InvalidArgumentError: others may write it.
        """
        file = cls(path, os.open(path, _FLAGS))
        try:
            check_private_file(path, file._descriptor)
            file.cut(size)
        except BaseException:
            file.close()
            raise
        return file

    def size(self) -> int | None:
        """Returns how long the file is; None where it was removed."""
        found = os.fstat(self._descriptor)
        return found.st_size if found.st_nlink else None

    def read(self, begin: int, most: int) -> bytes:
        """Returns what stands from an offset on, bounded.

        Raises:
            OSError: it cannot be read.
        """
        return os.pread(self._descriptor, most, begin)

    def append(self, line: bytes, size: int) -> None:
        """Writes a line by one call; what a full disk cuts is taken back.

        Args:
            line: the line.
            size: bytes before it.

        Raises:
            OSError: it was not written.
        """
        try:
            written = os.write(self._descriptor, line)
        except OSError:
            self.cut(size)
            raise
        if written != len(line):
            self.cut(size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def sync(self) -> None:
        """Forces what was written to the disk.

        Raises:
            OSError: the disk did not take it.
        """
        os.fdatasync(self._descriptor)

    def duplicate(self) -> int:
        """Returns another descriptor of the file, for the caller to close."""
        return os.dup(self._descriptor)

    def close(self) -> None:
        """Closes it."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def cut(self, size: int) -> None:
        """Cuts what stands behind so many bytes.

        Raises:
            OSError: it cannot be cut.
        """
        if os.fstat(self._descriptor).st_size > size:
            os.ftruncate(self._descriptor, size)


def sync_directory(directory: Path) -> None:
    """Forces a folder's names to the disk.

    Raises:
        OSError: the disk did not take them.
    """
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
