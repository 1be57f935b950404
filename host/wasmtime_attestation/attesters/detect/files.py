"""Looks at files of a machine, bounded and without raising: a probe has an outcome."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

MAX_TEXT = 1 << 15
"""Bytes that are read of a file of text; the first processors of /proc/cpuinfo have fewer."""


class Outcome(StrEnum):
    """How a probe came out."""

    FOUND = "found"
    ABSENT = "not-there"
    DENIED = "no-permission"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Files:
    """The file system of a machine.

    Attributes:
        root: where it begins.
    """

    root: Path = Path("/")

    def at(self, path: str) -> Path:
        """Returns where a path of the machine is."""
        return self.root / path.lstrip("/")

    def look(self, path: str) -> Outcome:
        """Says whether something is there."""
        try:
            self.at(path).stat()
        except (FileNotFoundError, NotADirectoryError):
            return Outcome.ABSENT
        except PermissionError:  # a folder on the way that we may not enter
            return Outcome.DENIED
        except OSError:
            return Outcome.FAILED
        return Outcome.FOUND

    def has(self, path: str) -> bool:
        """Whether something is there."""
        return self.look(path) is Outcome.FOUND

    def may(self, path: str, mode: int) -> bool:
        """Whether this user may use what is there (`os.R_OK`, `os.W_OK`, `os.X_OK`)."""
        return os.access(self.at(path), mode, effective_ids=os.access in os.supports_effective_ids)

    def text(self, path: str) -> str:
        """Returns the start of a file as text without white space around it; empty if none."""
        return self.bytes_at(path, 0, MAX_TEXT).decode("utf-8", "replace").strip()

    def bytes_at(self, path: str, offset: int, size: int) -> bytes:
        """Returns up to `size` bytes from an offset on; empty where they cannot be read."""
        try:
            # A device or pipe that somebody put there must not make us wait.
            file = os.open(self.at(path), os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError:
            return b""
        try:
            return os.pread(file, size, offset)
        except OSError:
            return b""
        finally:
            os.close(file)
