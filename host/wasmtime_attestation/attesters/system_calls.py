"""System calls on devices, made once, and what their failures mean.

Python's own `os.read` repeats a call for as long as it is interrupted, which a device can make
forever. Here EINTR comes out like any other error, so that the caller's deadline holds.
"""

from __future__ import annotations

import ctypes
import errno
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TypeVar

from wasmtime_attestation.errors import UnavailableError

Answer = TypeVar("Answer")

_TRANSIENT = frozenset({errno.EBUSY, errno.EINTR})
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 1.0
_CHUNK = 1 << 16
_MEANINGS: Mapping[int, str] = {
    errno.EACCES: "this user may not use it: run as root",
    errno.EPERM: "this user may not use it: run as root",
    errno.EBUSY: "it is busy with a former request; try again later",
    errno.EINTR: "signals interrupted it again and again; try again",
    errno.ENODEV: "the device went away: its driver was unloaded or unbound",
    errno.ENXIO: "the device went away: its driver was unloaded or unbound",
    errno.ENOMEM: "the kernel has no memory left",
    errno.EMFILE: "this process has too many files open (ulimit -n)",
    errno.ENFILE: "the machine has too many files open",
}


def unavailable(what: str, error: OSError, meanings: Mapping[int, str]) -> UnavailableError:
    """Returns the error that says what a system call's failure means.

    Args:
        what: what was tried.
        error: how it failed.
        meanings: of the errors that mean something special there.
    """
    number = error.errno or 0
    name = errno.errorcode.get(number, f"errno {number}")
    meaning = meanings.get(number) or _MEANINGS.get(number) or os.strerror(number)
    return UnavailableError(f"{what}: {name}: {meaning}")


@contextmanager
def opened(path: Path, flags: int) -> Iterator[int]:
    """Opens a file for the time of a context.

    Raises:
        OSError: it cannot be opened.
    """
    descriptor = os.open(path, flags | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def read_whole(path: Path, limit: int) -> bytes:
    """Reads a file to its end.

    Raises:
        OSError: a read failed; EINTR counts as a failure. EFBIG: it has more than `limit` bytes.
    """
    data = b""
    with opened(path, os.O_RDONLY) as descriptor:
        while chunk := _read(descriptor, _CHUNK):
            data += chunk
            if len(data) > limit:
                raise OSError(errno.EFBIG, f"more than {limit} bytes", str(path))
    return data


def ioctl(descriptor: int, command: int, argument: ctypes.Structure) -> None:
    """Makes an ioctl with a structure, which it may change even where it fails.

    Raises:
        OSError: it failed.
    """
    _checked(_libc().ioctl(descriptor, ctypes.c_ulong(command), ctypes.byref(argument)))


def patiently(call: Callable[[], Answer], deadline: float) -> Answer:
    """Repeats a call while it is answered by EBUSY or EINTR, with growing pauses.

    Args:
        call: may be repeated without harm.
        deadline: of `time.monotonic`; after it the error comes out.

    Raises:
        OSError: another error, or one of these at the deadline.
    """
    pause = _FIRST_PAUSE
    while True:
        try:
            return call()
        except OSError as error:
            if error.errno not in _TRANSIENT or time.monotonic() + pause > deadline:
                raise
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


def _read(descriptor: int, size: int) -> bytes:
    buffer = ctypes.create_string_buffer(size)
    read = _libc().read
    read.restype = ctypes.c_ssize_t
    length = _checked(read(descriptor, buffer, ctypes.c_size_t(size)))
    return buffer.raw[:length]


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
