"""Keeps tokens, or machine code, and is killed at every point at which a file changes.

`python -m … tokens|code FOLDER`.

Folder N is what a process left that was killed at its Nth point; one point lies before each call,
one after it, and one in the middle of each write. Prints how many points there are.
"""

from __future__ import annotations

import functools
import io
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from wasmtime_attestation.cache.machine_code import MachineCodeFolder

from tests.cache.disks import FIRST, SECOND, disk
from tests.cache.keys import SERVED, kept

CALLS = ("open", "fsync", "rename", "link", "unlink", "mkdir", "utime", "fdopen")
MAX_POINTS = 200


class Points:
    """Counts points, and kills the process at one of them."""

    def __init__(self, last: int) -> None:
        self._left = last

    def reach(self) -> None:
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self._left -= 1

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(call)
        def wrapped(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401
            self.reach()
            try:
                result = call(*arguments, **named)
            finally:
                self.reach()
            return _Torn(result, self) if isinstance(result, io.BufferedWriter) else result

        return wrapped


class _Torn:
    """A file that is written in two parts."""

    def __init__(self, file: io.BufferedWriter, points: Points) -> None:
        self._file, self._points = file, points

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._file, name)

    def write(self, data: bytes) -> int:
        half = len(data) // 2
        self._file.write(data[:half])
        self._file.flush()
        self._points.reach()
        self._file.write(data[half:])
        self._file.flush()
        self._points.reach()
        return len(data)


def _tokens(folder: Path) -> None:
    kept_there = disk(folder, entries=3)
    kept_there.write(FIRST, kept("new"))
    kept_there.write(SECOND, kept("second"))
    kept_there.read(FIRST)
    kept_there.remove(SECOND)
    kept_there.write(SERVED, kept("third"))


def _code(folder: Path) -> None:
    kept_there = MachineCodeFolder(folder, 2000)
    kept_there.write("first", {"of": "new"}, b"n" * 1000)
    kept_there.write("second", {"of": "second"}, b"s" * 1000)
    kept_there.read("second")


CHANGES = {"tokens": _tokens, "code": _code}


def _change(change: Callable[[Path], None], folder: Path, last: int) -> None:
    points = Points(last)
    for name in CALLS:
        setattr(os, name, points.around(getattr(os, name)))
    change(folder)


def _killed(what: str, folder: Path, point: int) -> bool:
    if what == "tokens":
        disk(folder).write(FIRST, kept("old"))
    child = os.fork()
    if child == 0:
        _change(CHANGES[what], folder, point)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert status in {0, signal.SIGKILL}, status
    return status != 0


def main(what: str, root: Path) -> None:
    for point in range(MAX_POINTS):
        if not _killed(what, root / str(point), point):
            print(point)  # noqa: T201
            return
    raise AssertionError("it never came to its end")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
