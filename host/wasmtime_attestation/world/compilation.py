"""Compilation in bounded time and memory.

A few kilobytes of WebAssembly can keep wasmtime's compiler busy for minutes, and a few megabytes
can make it take all of the host's memory; nothing can stop it once it has begun. So what is large
enough to do harm is compiled by another process, which can be stopped.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import wasmtime
from wasmtime import Config, Engine, Module, WasmtimeError

if TYPE_CHECKING:
    from wasmtime.component import Component

T = TypeVar("T", Module, "Component")

SECONDS = 120.0
"""How long a compilation may take: CPython, of 18 MiB, takes 4."""
MEMORY = 4 << 30
"""How many bytes of memory the other process may use."""
SMALL = 1 << 14
"""Up to this size a guest is compiled by this process: it cannot take much memory."""


Settings: TypeAlias = Mapping[str, bool | str]
"""Attributes of `wasmtime.Config`."""


def engine_of(settings: Settings) -> Engine:
    """Returns an engine with these settings, which compiles in the calling thread alone."""
    config = Config()
    # Its threads would not be there after a fork(2), where compilation waited for them forever.
    config.parallel_compilation = False
    for name, value in settings.items():
        setattr(config, name, value)
    return Engine(config)


def compiled(kind: type[T], engine: Engine, settings: Settings, wasm: bytes) -> T:
    """Compiles a guest.

    Args:
        kind: what it is.
        engine: one of `engine_of`.
        settings: the engine's.
        wasm: its bytes.

    Raises:
        WasmtimeError: it is not valid, or takes too much time or memory.
    """
    if len(wasm) <= SMALL or not _can_start_another():
        return kind(engine, wasm)
    return kind.deserialize(engine, _machine_code(kind.__name__, settings, wasm))


def _can_start_another() -> bool:
    """Whether `sys.executable` is Python itself, which it is not in programs that were packed."""
    return bool(sys.executable) and not getattr(sys, "frozen", False)


def _machine_code(kind: str, settings: Settings, wasm: bytes) -> bytes:
    import json  # most guests were compiled before
    import subprocess

    source, given = str(Path(wasmtime.__file__).parents[1]), json.dumps(dict(settings))
    command = [sys.executable, "-I", "-S", "-c", _SCRIPT, source, kind, str(MEMORY), given]
    try:
        done = subprocess.run(  # noqa: S603 - Python itself, and a text of ours
            command, input=wasm, capture_output=True, timeout=SECONDS, check=False, cwd="/"
        )
    except subprocess.TimeoutExpired as error:
        raise WasmtimeError(f"it was not compiled within {SECONDS:g} seconds") from error
    except OSError as error:
        raise WasmtimeError(f"the process that compiles it cannot be started: {error}") from error
    if done.returncode == _REFUSED:
        raise WasmtimeError(done.stderr.decode(errors="replace"))
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise WasmtimeError(
            f"compiling it takes more than {MEMORY >> 20} MiB of memory, breaks the compiler, or "
            f"{sys.executable} is no Python ({last or f'status {done.returncode}'})"
        )
    return done.stdout


_REFUSED = 3
_SCRIPT = f"""
import json, signal, sys
source, kind, memory, settings = sys.argv[1:]
sys.path.insert(0, source)
signal.signal(signal.SIGINT, signal.SIG_DFL)
if sys.platform == "linux":
    import ctypes, resource
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # with whoever waits for it
    resource.setrlimit(resource.RLIMIT_DATA, (int(memory), int(memory)))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
import wasmtime
from wasmtime.component import Component
wasm = sys.stdin.buffer.read()
config = wasmtime.Config()
for name, value in json.loads(settings).items():
    setattr(config, name, value)
engine = wasmtime.Engine(config)
try:
    code = {{"Module": wasmtime.Module, "Component": Component}}[kind](engine, wasm).serialize()
except wasmtime.WasmtimeError as error:
    sys.stderr.write(str(error)[:2000])
    sys.exit({_REFUSED})
sys.stdout.buffer.write(code)
"""
