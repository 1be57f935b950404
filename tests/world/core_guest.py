"""Core modules in the real runtime, with the legacy world and WASI preview 1."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

from wasmtime import (
    Config,
    Engine,
    ExitTrap,
    Func,
    Instance,
    Linker,
    Memory,
    Module,
    Store,
    WasiConfig,
)
from wasmtime_attestation import wit
from wasmtime_attestation.world.legacy import link_legacy

MODULE = "wasmtime_attestation"
PARAMETERS = {
    "detect_tee": 0,
    "attest_vm": 0,
    "attest_gpu": 1,
    "verify_token": 2,
    "gpus": 0,
    "attest": 4,
    "verify": 4,
}
"""The functions that return an i32, and how many i32 each takes."""

PAGE = 65_536
BUMP = """
(global $heap (mut i32) (i32.const 32768))
(func $cabi_realloc (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
  (global.set $heap (i32.add (global.get $heap) (local.get 3)))
  (i32.sub (global.get $heap) (local.get 3)))
"""
"""An honest allocator that frees nothing."""


def forwarder(memory: str = '(memory (export "memory") 1)', rest: str = BUMP) -> str:
    """Returns a module that exports every function of the world as its own.

    Args:
        memory: the memory field, if any.
        rest: further fields, `cabi_realloc` for one.
    """
    imports = [
        f'(import "{MODULE}" "{name}" (func ${name} {"(param i32)" * count} (result i32)))'
        for name, count in PARAMETERS.items()
    ]
    exports = [
        f'(func (export "{name}") {"(param i32)" * count} (result i32) '
        f"(call ${name} {' '.join(f'(local.get {i})' for i in range(count))}))"
        for name, count in PARAMETERS.items()
    ]
    clear = (
        f'(import "{MODULE}" "clear_cache" (func $clear_cache))',
        '(func (export "clear_cache") (call $clear_cache))',
    )
    return "\n".join(["(module", *imports, clear[0], memory, rest, *exports, clear[1], ")"])


@dataclass(frozen=True)
class Outcome:
    """How a command ended, and what it wrote."""

    code: int
    lines: list[str]


def run_command(wasm: Path, world: wit.World, *arguments: str) -> Outcome:
    """Runs a WASI command to its end."""
    engine = Engine()
    linker, store = Linker(engine), Store(engine)
    linker.define_wasi()
    link_legacy(linker, world)
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "output"
        wasi = WasiConfig()
        wasi.argv = ["guest", *arguments]
        wasi.stdout_file = wasi.stderr_file = output
        store.set_wasi(wasi)
        instance = linker.instantiate(store, Module.from_file(engine, str(wasm)))
        code = _exit_code(instance, store)
        store.close()  # flushes
        return Outcome(code, output.read_text().splitlines())


def _exit_code(instance: Instance, store: Store) -> int:
    start = instance.exports(store)["_start"]
    assert isinstance(start, Func)
    try:
        start(store)
    except ExitTrap as exit_:
        return exit_.code
    return 0


class CoreGuest:
    """One instance of a core module.

    Args:
        code: the module, or its text.
        world: what its imports call.
        config: the engine's, where the defaults do not do.
        linker: one that serves other instances too, instead of `world`.
    """

    def __init__(
        self,
        code: str | Module,
        world: wit.World | None = None,
        *,
        config: Config | None = None,
        linker: Linker | None = None,
        store: Store | None = None,
    ) -> None:
        if linker is None:
            assert world is not None
            linker = Linker(Engine(config))
            link_legacy(linker, world)
        self.store = store or Store(linker.engine)
        module = Module(linker.engine, code) if isinstance(code, str) else code
        self._exports = linker.instantiate(self.store, module).exports(self.store)

    def call(self, name: str, *arguments: int) -> int:
        """Calls an export that returns one number, or none, which reads as 0."""
        function = self._exports[name]
        assert isinstance(function, Func)
        result = function(self.store, *arguments)
        return 0 if result is None else int(result)

    @property
    def memory(self) -> Memory:
        """The exported memory."""
        memory = self._exports["memory"]
        assert isinstance(memory, Memory)
        return memory

    @property
    def size(self) -> int:
        """The size of its memory in bytes."""
        return self.memory.data_len(self.store)

    def write(self, address: int, data: bytes) -> tuple[int, int]:
        """Writes into memory and returns pointer and length."""
        self.memory.write(self.store, data, address)
        return address, len(data)

    def bytes_at(self, address: int) -> bytes:
        """Returns the answer at an address."""
        assert address > 0
        length = int.from_bytes(self.memory.read(self.store, address, address + 4), "little")
        text = self.memory.read(self.store, address + 4, address + 4 + length)
        assert len(text) == length
        return bytes(text)

    def answer(self, name: str, *arguments: int) -> dict[str, object]:
        """Calls an export and returns the JSON object at the address that it returns."""
        value = json.loads(self.bytes_at(self.call(name, *arguments)))
        assert isinstance(value, dict)
        return value
