"""Bytes that nothing changes any more, so that what was verified is what is used.

Linux keeps them in a file of memory that is sealed (memfd_create(2), fcntl(2) F_ADD_SEALS): whoever
maps it shares its pages, however often. Elsewhere they are bytes of this process.
"""

from __future__ import annotations

import os
import sys
import weakref
from collections.abc import Iterable
from pathlib import Path


class SealedMemory:
    """Bytes; use its methods in any thread.

    Args:
        parts: the bytes, one part after the other; none is needed once the next one is taken.

    Raises:
        OSError: there is no memory for them.
    """

    def __init__(self, parts: Iterable[bytes | bytearray | memoryview]) -> None:
        self._descriptor = _memory_file()
        self._bytes = bytearray()
        if self._descriptor is None:
            for part in parts:
                self._bytes += part
            return
        finalizer = weakref.finalize(self, os.close, self._descriptor)
        # A guest that is stopped at exit may still read it.
        finalizer.atexit = False
        for part in parts:
            _write(self._descriptor, memoryview(part))
        _seal(self._descriptor)

    @property
    def path(self) -> Path | None:
        """Where this process can open it as a file, as long as it exists; None where nowhere."""
        return None if self._descriptor is None else Path(f"/proc/self/fd/{self._descriptor}")

    def __len__(self) -> int:
        """Its length in bytes."""
        if self._descriptor is None:
            return len(self._bytes)
        return os.fstat(self._descriptor).st_size

    def bytes(self) -> bytearray:
        """Returns the bytes, which are copied where they are in a file."""
        if self._descriptor is None:
            return self._bytes
        found = bytearray(len(self))
        view, start = memoryview(found), 0
        while count := os.preadv(self._descriptor, [view[start:]], start):
            start += count
        return found


def _memory_file() -> int | None:
    if sys.platform != "linux":
        return None
    try:
        return os.memfd_create("wasmtime-attestation", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    except OSError:  # forbidden here, or too many files are open
        return None


def _write(descriptor: int, part: memoryview) -> None:
    while part:
        part = part[os.write(descriptor, part) :]


def _seal(descriptor: int) -> None:
    if sys.platform == "linux":
        import fcntl  # is on no other system

        seals = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
