"""The first file system of a machine: busybox, modules, this Python and this project.

Source: Linux, Documentation/driver-api/early-userspace/buffer-format.rst (newc).
"""

from __future__ import annotations

import importlib.util
import os
import stat
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.emulation.namespace import ROOT
from tests.tools import require

LIBRARIES = ("click", "jwt", "cryptography", "_cffi_backend", "cffi", "lxml")
_LEFT_OUT = {"test", "idlelib", "lib2to3", "tkinter", "ensurepip", "__pycache__", "site-packages"}
_TESTS = ("tests/__init__.py", "tests/emulation")


class Archive:
    """A cpio archive in the making."""

    def __init__(self) -> None:
        self._made: set[str] = set()
        self._parts: list[bytes] = []

    def file(self, path: str | Path, data: bytes, mode: int = 0o755) -> None:
        """Adds a file, and the directories on the way."""
        self._add(str(path), stat.S_IFREG | mode, data)

    def directory(self, path: str) -> None:
        """Adds an empty directory."""
        self._add(path, stat.S_IFDIR | 0o755, b"")

    def copy(self, source: Path) -> None:
        """Adds a file or tree where it is on this machine; links are followed."""
        for file in _files(source):
            self.file(file, file.read_bytes(), stat.S_IMODE(file.stat().st_mode))

    def finished(self) -> bytes:
        """Returns the archive."""
        self._part("TRAILER!!!", 0, b"")
        return b"".join(self._parts)

    def _add(self, path: str, mode: int, data: bytes) -> None:
        name = path.strip("/")
        if name in self._made:
            return
        parent = os.path.dirname(name)  # noqa: PTH120  a name in the archive
        if parent:
            self._add(parent, stat.S_IFDIR | 0o755, b"")
        self._made.add(name)
        self._part(name, mode, data)

    def _part(self, name: str, mode: int, data: bytes) -> None:
        encoded = name.encode() + b"\0"
        numbers = (len(self._parts) + 1, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(encoded), 0)
        header = b"070701" + "".join(f"{number:08X}" for number in numbers).encode() + encoded
        self._parts.append(header + bytes(-len(header) % 4) + data + bytes(-len(data) % 4))


def initramfs(init: str, modules: Iterable[tuple[str, bytes]]) -> bytes:
    """Returns an archive that starts with a script of busybox's shell.

    Args:
        init: the script.
        modules: names and contents of modules, which go to /modules.
    """
    archive = Archive()
    for folder in ("proc", "sys", "dev", "tmp"):
        archive.directory(folder)
    archive.file("bin/busybox", Path(require("busybox")).read_bytes())
    archive.file("init", init.encode())
    for name, content in modules:
        archive.file(f"modules/{name}.ko", content)
    for source in _python():
        archive.copy(source)
    archive.copy(ROOT / "host" / "wasmtime_attestation")
    for name in _TESTS:
        archive.copy(ROOT / name)
    return archive.finished()


def python() -> str:
    """Returns the path of this Python, also in the machine."""
    return str(Path(sys.executable).resolve())


def search_path() -> str:
    """Returns what PYTHONPATH must be in the machine."""
    folders = {str(_package(name).parent) for name in LIBRARIES}
    return ":".join([str(ROOT), str(ROOT / "host"), *sorted(folders)])


def _python() -> Iterator[Path]:
    binary = Path(python())
    standard = Path(sysconfig.get_path("stdlib", vars={"base": sys.base_prefix}))
    packages = [_package(name) for name in LIBRARIES]
    yield from (binary, standard, *packages)
    compiled = [file for folder in (standard, *packages) for file in _files(folder)]
    objects = [binary, *(file for file in compiled if ".so" in file.suffixes)]
    yield from _shared(objects)


def _package(name: str) -> Path:
    found = importlib.util.find_spec(name)
    assert found is not None, name
    assert found.origin is not None, name
    origin = Path(found.origin)
    return origin.parent if found.submodule_search_locations else origin


def _shared(objects: Iterable[Path]) -> set[Path]:
    """Returns the shared libraries that objects need, the loader among them."""
    listed = subprocess.run(["ldd", *objects], check=False, capture_output=True, text=True).stdout
    words = (
        word
        for line in listed.splitlines()
        if "=>" in line or "ld-" in line
        for word in line.split()
    )
    return {Path(word) for word in words if word.startswith("/") and Path(word).is_file()}


def _files(source: Path) -> Iterator[Path]:
    if source.is_file():
        yield source
        return
    for folder, names, files in os.walk(source):
        names[:] = [name for name in names if name not in _LEFT_OUT]
        yield from (Path(folder) / name for name in files if not name.endswith((".a", ".pyc")))
