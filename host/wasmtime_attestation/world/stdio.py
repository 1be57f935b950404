"""Where a guest's standard streams lead: to this process's own, or into memory.

Captured output goes through pipes, which whoever waits for the guest reads: the
kernel stops a guest that writes faster. wasmtime opens a stream by its path,
which a pipe has below /dev/fd. Elsewhere it writes to files, whose sizes are
looked at again and again. wasmtime-py's callbacks for output are not used, as
they crash processes that end.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import sys
import time
from enum import Enum
from pathlib import Path
from threading import Lock, Thread
from typing import Protocol

from wasmtime import WasiConfig, WasmtimeError, _ffi

_DESCRIPTORS = Path("/dev/fd")
_CHUNK = 1 << 16
_POLL = 0.005


class Stdio(Enum):
    """What standard input, output and error are."""

    CAPTURED = "captured"
    INHERITED = "inherited"


class Capture(Protocol):
    """Standard output and error of a guest, on their way into memory."""

    @property
    def is_full(self) -> bool:
        """Whether the guest wrote more than it may."""

    def wait(self, seconds: float) -> bool:
        """Takes what the guest writes, for a while; returns whether it may write more."""

    def take(self) -> tuple[bytes, bytes]:
        """Returns what the guest wrote, as far as it may; it has ended."""

    def leave(self) -> None:
        """Drops whatever the guest writes from now on, as long as it runs."""

    def close(self) -> None:
        """Releases what the capture has; the guest has ended."""


def capture(config: WasiConfig, stdio: Stdio, limit: int) -> Capture:
    """Captures standard output and error of the guest that a configuration is for.

    Args:
        config: where they are set.
        stdio: whether they are to be captured.
        limit: how many bytes of each are kept.
    """
    if stdio is Stdio.INHERITED:
        return _Nothing()
    if sys.platform != "win32" and _DESCRIPTORS.is_dir():
        return _Pipes(config, limit)
    return _Files(config, limit)


def feed(config: WasiConfig, data: bytes) -> None:
    """Makes bytes the standard input of the guest that a configuration is for."""
    vector = _ffi.wasm_byte_vec_t()
    source = ctypes.create_string_buffer(data, len(data))
    content = ctypes.cast(source, ctypes.POINTER(ctypes.c_uint8))
    _ffi.wasm_byte_vec_new(ctypes.byref(vector), len(data), content)
    _ffi.wasi_config_set_stdin_bytes(config.ptr(), ctypes.byref(vector))


class _Nothing:
    """Captures nothing."""

    is_full = False

    def wait(self, _seconds: float) -> bool:
        return False

    def take(self) -> tuple[bytes, bytes]:
        return b"", b""

    def leave(self) -> None:
        """Does nothing."""

    def close(self) -> None:
        """Does nothing."""


class _Kept:
    """The beginning of a stream.

    Args:
        limit: how many bytes are kept.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._data = bytearray()
        self.is_full = False

    def add(self, data: bytes) -> None:
        room = self._limit - len(self._data)
        self._data += data[:room]
        self.is_full |= len(data) > room

    def content(self) -> bytes:
        return bytes(self._data)


class _Pipes:
    """Captures through a pipe for each stream."""

    def __init__(self, config: WasiConfig, limit: int) -> None:
        self._streams: dict[int, _Kept] = {}
        self._open: set[int] = set()
        try:
            with _one_at_a_time:
                for name in ("stdout_file", "stderr_file"):
                    self._pipe(config, name, limit)
                _check_spare(next(iter(self._streams)))
        except BaseException:
            self.close()
            raise

    def _pipe(self, config: WasiConfig, name: str, limit: int) -> None:
        reading, writing = os.pipe()
        self._streams[reading] = _Kept(limit)
        self._open.add(reading)
        try:
            setattr(config, name, str(_DESCRIPTORS / str(writing)))
        finally:
            os.close(writing)
        os.set_blocking(reading, False)

    @property
    def is_full(self) -> bool:
        return any(kept.is_full for kept in self._streams.values())

    def wait(self, seconds: float) -> bool:
        poll = select.poll()
        for descriptor in self._open:
            poll.register(descriptor, select.POLLIN)
        for descriptor, _ in poll.poll(max(0.0, seconds) * 1000):
            self._read(descriptor)
        return bool(self._open)

    def take(self) -> tuple[bytes, bytes]:
        for descriptor in tuple(self._open):
            while self._read(descriptor):
                pass
        out, err = (kept.content() for kept in self._streams.values())
        return out, err

    def leave(self) -> None:
        # Closed, the pipes would end a process that does not ignore SIGPIPE.
        Thread(target=self._drop, daemon=True).start()

    def close(self) -> None:
        for descriptor in self._streams:
            with contextlib.suppress(OSError):
                os.close(descriptor)
        self._streams, self._open = {}, set()

    def _read(self, descriptor: int) -> bool:
        """Reads what is there; returns whether there may be more at once."""
        try:
            data = os.read(descriptor, _CHUNK)
        except BlockingIOError:
            return False
        if not data:
            self._open.discard(descriptor)
        self._streams[descriptor].add(data)
        return bool(data)

    def _drop(self) -> None:
        while self.wait(60):
            pass
        self.close()


_SPARE = 16
"""Descriptors that runs leave to others: wasmtime aborts the process where its threads get none."""
_one_at_a_time = Lock()


def _check_spare(descriptor: int) -> None:
    """Raises `OSError` unless there are descriptors left."""
    spare: list[int] = []
    try:
        spare.extend(os.dup(descriptor) for _ in range(_SPARE))
    finally:
        for copy in spare:
            os.close(copy)


class _Files:
    """Captures through a file for each stream, which may outgrow what the guest may write."""

    def __init__(self, config: WasiConfig, limit: int) -> None:
        self._limit = limit
        import tempfile  # pipes serve where there are any

        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        folder = Path(self._folder.name)
        self._paths = folder / "stdout", folder / "stderr"
        try:
            for name, path in zip(("stdout_file", "stderr_file"), self._paths, strict=True):
                setattr(config, name, str(path))
        except WasmtimeError:
            self.close()
            raise

    @property
    def is_full(self) -> bool:
        return any(path.stat().st_size > self._limit for path in self._paths)

    def wait(self, seconds: float) -> bool:
        time.sleep(max(0.0, min(seconds, _POLL)))
        return True

    def take(self) -> tuple[bytes, bytes]:
        out, err = (self._beginning(path) for path in self._paths)
        return out, err

    def leave(self) -> None:
        self.close()

    def close(self) -> None:
        self._folder.cleanup()

    def _beginning(self, path: Path) -> bytes:
        with path.open("rb") as file:
            return file.read(self._limit)
