"""Files and directories at any path of a private mount namespace, also in /sys and /proc."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from pathlib import Path

_NODES = ("null", "zero", "full", "random", "urandom", "tty", "fuse")
_LINKS = {"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2"}


def mount(*arguments: str | Path) -> None:
    """Runs mount(8)."""
    subprocess.run(["mount", *map(str, arguments)], check=True, stdin=subprocess.DEVNULL)


@dataclass
class Mounts:
    """Changes what stands where, for the processes of this mount namespace alone.

    Attributes:
        stash: an empty directory of its own, where what is covered stays within reach.
    """

    stash: Path
    _own: list[Path] = field(default_factory=list)
    _covered: int = 0

    def begin(self) -> None:
        """Mounts the stash, and a /dev that has nothing but what every process needs."""
        mount("-t", "tmpfs", "none", self.stash)
        self._dev()
        self.directory("/sys/kernel/config")

    def file(self, path: str, content: bytes = b"", mode: int = 0o644) -> Path:
        """Puts a file somewhere, over the one that is there; directories on the way are made."""
        target = Path(path)
        if target.is_file():
            source = self._fresh()
            source.write_bytes(content)
            source.chmod(mode)
            mount("--bind", source, target)
        else:
            self.directory(str(target.parent))
            target.write_bytes(content)
            target.chmod(mode)
        return target

    def directory(self, path: str) -> Path:
        """Makes a directory, wherever it is; one that is there keeps what is in it."""
        target = Path(path)
        ancestor = target
        while not ancestor.exists():
            ancestor = ancestor.parent
        self._cover(ancestor.resolve())
        target.mkdir(parents=True, exist_ok=True)
        return target

    def hide(self, path: str) -> None:
        """Takes a file or directory away; what is beside it stays."""
        target = Path(path)
        if target.exists() or target.is_symlink():
            self._cover(target.parent.resolve())
            target.unlink()

    def _cover(self, directory: Path) -> None:
        """Mounts a tmpfs over a directory that has links to all that was in it."""
        if any(directory.is_relative_to(own) for own in self._own):
            return
        before = self._fresh()
        before.mkdir()
        mount("--rbind", directory, before)
        mode = directory.stat().st_mode & 0o7777
        mount("-t", "tmpfs", "-o", f"mode={mode:o}", "none", directory)
        for entry in before.iterdir():
            (directory / entry.name).symlink_to(entry.readlink() if entry.is_symlink() else entry)
        self._own.append(directory)

    def _fresh(self) -> Path:
        self._covered += 1
        return self.stash / str(self._covered)

    def _dev(self) -> None:
        before, dev = self._fresh(), Path("/dev")
        before.mkdir()
        mount("--rbind", dev, before)
        mount("-t", "tmpfs", "-o", "mode=755", "none", dev)
        for name in _NODES:
            if (before / name).exists():
                (dev / name).touch()
                mount("--bind", before / name, dev / name)
        for name, to in _LINKS.items():
            (dev / name).symlink_to(to)
        (dev / "shm").mkdir(mode=0o1777)
        self._own.append(dev)
