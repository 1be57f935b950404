"""Generated files: written, or compared with what is on disk."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from wasmtime_attestation_bindgen.errors import InputError


def write(folder: Path, files: Mapping[str, str]) -> list[str]:
    """Writes files that changed, each at once or not at all.

    Args:
        folder: where; it is made if it is missing.
        files: text by path relative to `folder`.

    Returns:
        The paths written.

    Raises:
        InputError: one cannot be written.
    """
    changed = [path for path, text in files.items() if _read(folder / path) != text]
    for path in changed:
        _make_folder((folder / path).parent)
        write_bytes(folder / path, files[path].encode())
    return changed


def write_bytes(path: Path, data: bytes) -> None:
    """Writes a file at once or not at all.

    Raises:
        InputError: it cannot be written.
    """
    try:
        _replace(path, data)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from error


def stale(folder: Path, files: Mapping[str, str]) -> str:
    """Returns how files on disk differ from `files`, as a unified diff; empty if they agree.

    Args:
        folder: where they should be.
        files: text by path relative to `folder`.

    Raises:
        InputError: one cannot be read.
    """
    return "".join(_diff(folder / path, files[path]) for path in sorted(files))


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make the folder {path}: {error.strerror}") from error


def _diff(path: Path, text: str) -> str:
    there = _read(path)
    if there == text:
        return ""
    # Where nothing is stale, nothing is compared.
    import difflib

    name = str(path) if there is not None else os.devnull
    old, new = (there or "").splitlines(keepends=True), text.splitlines(keepends=True)
    return "".join(difflib.unified_diff(old, new, name, f"{path} (generated)"))


def _read(path: Path) -> str | None:
    try:
        return path.read_bytes().decode(errors="replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error


def _replace(path: Path, data: bytes) -> None:
    # A device or a pipe is written to; replacing it would destroy it.
    if path.exists() and not path.is_file():
        path.write_bytes(data)
        return
    partial = path.with_name(f".{path.name}.{os.urandom(8).hex()}")
    try:
        with partial.open("xb") as file:
            file.write(data)
        if path.exists():
            partial.chmod(path.stat().st_mode)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
