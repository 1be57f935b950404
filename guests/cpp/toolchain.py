"""The compilers that make WebAssembly of C++: the one that ziglang brings, and Debian's."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

HERE = Path(__file__).resolve().parent
INCLUDE = HERE / "include"
NO_WASI = HERE / "src" / "no_wasi.cpp"
START = HERE / "src" / "start.c"
LANGUAGE = ("-std=c++20", "-Oz", "-fno-exceptions", "-fno-rtti", "-Wall", "-Wextra", "-Werror")
LEGACY = "-DWASMTIME_ATTESTATION_LEGACY"


class Model(Enum):
    """How the host calls a module."""

    COMMAND = auto()
    """It has a `main`, and imports WASI of preview 1."""
    LIBRARY = auto()
    """It has exports; it imports no WASI, so that a component can be made of it as it is."""


@dataclass(frozen=True)
class Toolchain:
    """A compiler.

    Attributes:
        name: what to call it.
        command: how to run it for C++.
        own_start: whether commands need this project's start file, since that of the compiler's
            C library is of no use.
    """

    name: str
    command: tuple[str, ...]
    own_start: bool = False


ZIG = Toolchain("zig", (sys.executable, "-m", "ziglang", "c++", "-target", "wasm32-wasi"))


def debian() -> Toolchain | None:
    """Returns Debian's clang, where it is installed with a C++ library for WebAssembly."""
    compiler = shutil.which("clang++-19")
    if compiler is None or not Path("/usr/lib/wasm32-wasi/libc++.a").exists():
        return None
    return Toolchain("debian", (compiler, "--target=wasm32-wasi", "--sysroot=/usr"), own_start=True)


def compile_guest(
    output: Path,
    sources: Sequence[Path],
    flags: Sequence[str] = (),
    *,
    model: Model = Model.COMMAND,
    toolchain: Toolchain = ZIG,
) -> None:
    """Compiles a guest; the module appears at once or not at all.

    Args:
        output: the module.
        sources: C++ files.
        flags: what the compiler is given besides.
        model: how the host calls the module.
        toolchain: which compiler to use.

    Raises:
        CalledProcessError: it does not compile; the compiler has said why.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent) as folder:
        partial = Path(folder) / output.name
        extra = _extra(toolchain, model, Path(folder))
        files = [*map(str, sources), *extra, "-o", str(partial)]
        arguments = [*LANGUAGE, "-s", f"-I{INCLUDE}", *flags, *files]
        subprocess.run([*toolchain.command, *arguments], check=True)  # noqa: S603
        partial.replace(output)


def _extra(toolchain: Toolchain, model: Model, folder: Path) -> tuple[str, ...]:
    if model is Model.LIBRARY:
        return "-mexec-model=reactor", str(NO_WASI)
    if not toolchain.own_start:
        return ()
    start = folder / "start.o"
    compile_start = [*toolchain.command, "-x", "c", "-O2", "-c", str(START), "-o", str(start)]
    subprocess.run(compile_start, check=True)  # noqa: S603
    return "-nostartfiles", str(start)
