"""Reading WIT files, with limits."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from wasmtime_attestation_bindgen.errors import InputError, WitError
from wasmtime_attestation_bindgen.resolve import PackageFiles
from wasmtime_attestation_bindgen.source import Encoded, Source, Span

LARGEST_FILE = 4 * 2**20
"""Bytes; all of WASI is under one mebibyte."""
MOST_FILES = 2_000
"""In a folder and its dependencies together."""

_BINARY = b"\0asm"
_TEXT_FORMAT_BEGINS = ("(", ";;")
_SUFFIXES = (".wit", ".wat", ".wasm")


class Project(NamedTuple):
    """A package and each package that it may depend on."""

    main: PackageFiles
    dependencies: tuple[PackageFiles, ...] = ()


def load(path: Path) -> Project:
    """Returns a package.

    Args:
        path: a `.wit` file, or a folder of them; a folder's `deps` may hold
            further packages, each a file or a folder. A file may also hold a
            package in the binary form that registries take, or in its text.

    Raises:
        InputError: something cannot be read, or there is too much of it.
        WitError: a file is not UTF-8, or not WebAssembly text.
    """
    return _Loader().project(path)


class _Loader:
    def __init__(self) -> None:
        self._files = 0

    def project(self, path: Path) -> Project:
        if not path.is_dir():
            return Project(self._package(path))
        main = self._folder(path)
        dependencies = path / "deps"
        entries = _entries(dependencies) if dependencies.is_dir() else []
        return Project(main, tuple(map(self._dependency, filter(_holds_package, entries))))

    def _dependency(self, entry: Path) -> PackageFiles:
        return self._folder(entry) if entry.is_dir() else self._package(entry)

    def _folder(self, path: Path) -> PackageFiles:
        files = [e for e in _entries(path) if e.suffix == ".wit" and not e.is_dir()]
        if not files:
            raise InputError(f"the folder {path} holds no `.wit` file")
        return [_decode(file, self._read(file)) for file in files]

    def _package(self, path: Path) -> PackageFiles:
        data = self._read(path)
        if data.startswith(_BINARY):
            return Encoded(str(path), data)
        source = _decode(path, data)
        if source.text.lstrip().startswith(_TEXT_FORMAT_BEGINS):
            # Most packages are WIT, and importing wasmtime takes longer than reading them.
            from wasmtime_attestation_bindgen.assemble import assemble

            return assemble(source)
        return [source]

    def _read(self, path: Path) -> bytes:
        self._files += 1
        if self._files > MOST_FILES:
            raise InputError(f"there are more than {MOST_FILES} WIT files")
        try:
            with path.open("rb") as file:
                data = file.read(LARGEST_FILE + 1)
        except OSError as error:
            raise InputError(f"cannot read {path}: {error.strerror}") from error
        if len(data) > LARGEST_FILE:
            raise InputError(f"{path} has more than {LARGEST_FILE} bytes")
        return data


def _holds_package(entry: Path) -> bool:
    return entry.is_dir() or entry.suffix in _SUFFIXES


def _entries(path: Path) -> list[Path]:
    try:
        return sorted(path.iterdir(), key=lambda entry: entry.name)
    except OSError as error:
        raise InputError(f"cannot read the folder {path}: {error.strerror}") from error


def _decode(path: Path, data: bytes) -> Source:
    try:
        return Source(str(path), data.decode())
    except UnicodeDecodeError as error:
        shown = Source(str(path), data.decode(errors="replace"))
        at = len(data[: error.start].decode(errors="replace"))
        raise WitError("the file is not UTF-8 here", Span(shown, at, at + 1)) from error
