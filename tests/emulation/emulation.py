"""Devices, file systems and services of confidential VMs, emulated at their production paths."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from tests.emulation.mounts import Mounts


@dataclass
class Place:
    """Where an emulation stands.

    Attributes:
        folder: a folder of its own, which the test sees too: `Namespace.folder(name)`.
        mounts: puts files and directories anywhere; in `prepare` alone.
    """

    folder: Path
    mounts: Mounts
    _ready: int = -1

    def ready(self) -> None:
        """Says that the emulation answers; the namespace waits for it."""
        os.write(self._ready, b"!")

    def spawn(self, *command: str | Path) -> subprocess.Popen[bytes]:
        """Starts a program that dies with the emulation."""
        bound = ["setpriv", "--pdeathsig", "KILL", "--", *map(str, command)]
        return subprocess.Popen(bound, stdin=subprocess.DEVNULL)

    def told(self) -> str:
        """Returns what the test told last by `Namespace.tell`."""
        with contextlib.suppress(FileNotFoundError):
            return (self.folder / "told").read_text()
        return ""

    def note(self, line: str) -> None:
        """Notes something that the test reads by `Namespace.notes`."""
        with (self.folder / "notes").open("a") as notes:
            notes.write(f"{line}\n")


class Emulation:
    """Something to stand in a namespace; it is pickled, so it has only plain attributes.

    `prepare` of each runs first, in their order; then `serve` of each, in a process of its own.
    """

    name: ClassVar[str]
    """Unlike that of any other emulation in the same namespace."""

    def environment(self, folder: Path) -> Mapping[str, str]:
        """Returns what the commands' environment must hold, such as LD_LIBRARY_PATH."""
        del folder
        return {}

    def prepare(self, place: Place) -> None:
        """Makes files and directories, of its own or to mount something on."""

    def serve(self, place: Place) -> None:
        """Calls `place.ready()` once it answers, and serves until it is killed."""
        place.ready()
