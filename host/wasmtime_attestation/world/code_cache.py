"""Guests that were compiled before, found by everything that their machine code depends on."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

import wasmtime
from wasmtime import Engine

from wasmtime_attestation.cache import processor
from wasmtime_attestation.cache.code_settings import Settings
from wasmtime_attestation.cache.machine_code import MachineCodeFolder, default_directory
from wasmtime_attestation.world.compiler import Program, compile_guest, engine_settings
from wasmtime_attestation.world.guest import Abi, Guest

_START = 4096
"""Bytes of a library in which linkers put the identifier of its build."""


class CodeCache:
    """Compiled guests on disk. One that is found was checked when it was compiled.

    Args:
        folder: where they are.
    """

    def __init__(self, folder: MachineCodeFolder) -> None:
        self._folder = folder

    @classmethod
    def of(cls, settings: Settings) -> CodeCache | None:
        """Returns what settings ask for; None where nothing is to be kept, or nowhere."""
        directory = settings.directory or default_directory()
        if directory is None or not settings.size:
            return None
        is_chosen = settings.directory is not None
        return cls(MachineCodeFolder(directory, settings.size, is_chosen=is_chosen))

    def program(self, engine: Engine, guest: Guest, *, fuel: bool = False) -> Program:
        """Returns a guest's program: as it was kept, or compiled now and kept.

        Args:
            engine: of `compiler.new_engine`.
            guest: which one.
            fuel: whether the engine counts fuel.

        Raises:
            StartError: `compiler.compile_guest` refuses it.
        """
        name = _name(guest, fuel=fuel)
        kept = self._folder.read(name)
        if kept is not None:
            return Program(guest.name, guest.abi, kept.code, kept.head["entry"])
        program = compile_guest(engine, guest, fuel=fuel)
        head = {"guest": guest.digest.hex(), "entry": program.entry, "compiler": _compiler()}
        self._folder.write(name, head, program.code.bytes())
        return program


def _name(guest: Guest, *, fuel: bool) -> str:
    """Returns what a guest's machine code is called, here and wherever it would be the same."""
    parts = [
        dict(engine_settings(fuel=fuel)),
        _compiler(),
        _library(),
        processor.features(),
        guest.abi.value,
        guest.digest.hex(),
        # A component was checked against the types that this host has.
        _interfaces() if guest.abi is Abi.COMPONENT else "",
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


@cache
def _compiler() -> str:
    """Returns the version of wasmtime-py, which the name of its metadata's folder says."""
    # `importlib.metadata` takes as long to import as the rest of a start.
    packages = Path(wasmtime.__file__).parents[1]
    return ",".join(sorted(path.stem for path in packages.glob("wasmtime-[0-9]*.dist-info")))


@cache
def _library() -> str:
    """Returns a digest that tells builds of wasmtime's library apart."""
    digest = hashlib.sha256()
    for path in sorted(Path(wasmtime.__file__).parent.glob("*-*/*wasmtime.*")):
        with path.open("rb", buffering=0) as file:
            digest.update(file.read(_START))
        digest.update(f"{path.parent.name} {path.stat().st_size}\n".encode())
    return digest.hexdigest()


def _interfaces() -> str:
    # What a core module imports has no types to be checked.
    from wasmtime_attestation.world._generated import IMPORTS
    from wasmtime_attestation.world.binding.signature import notation

    said = {name: [(f.name, notation(f)) for f in ours] for name, ours in IMPORTS.items()}
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()
