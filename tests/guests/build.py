"""Compiles the C and C++ guests that the tests run, with the compiler that ziglang brings."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
PROJECT = HERE.parents[1]
OUTPUT = PROJECT / "build" / "guests"
ZIG = (sys.executable, "-m", "ziglang")
CPP_GUEST = PROJECT / "guests" / "cpp"

_REALLOC = "cabi_realloc.c"
_HEAD_FLAGS = (
    "-Wl,--initial-memory=2097152",
    "-Wl,--max-memory=16777216",
    "-Wl,-z,stack-size=131072",
)


@dataclass(frozen=True)
class Generation:
    """How one generation of guests was built.

    Attributes:
        sources: file names in `generations/`.
        flags: what the compiler is given besides.
    """

    sources: tuple[str, ...]
    flags: tuple[str, ...] = ()


GENERATIONS = {
    "rust_a": Generation(("rust_a.c",)),
    "rust_b": Generation(("rust_b.c", _REALLOC)),
    "cpp_a": Generation(("cpp_a.c",)),
    "cpp_c": Generation(("cpp_c.c",)),
    "cpp_e_1mib": Generation(("cpp_e.c",), ("-DCAP=1048576",)),
    "cpp_e": Generation(("cpp_e.c",), ("-DCAP=100000",)),
    "cpp_main_50000": Generation(("cpp_main.c",), ("-DCAP=50000",)),
    "cpp_main": Generation(("cpp_main.c", _REALLOC), ("-DCAP=100000", *_HEAD_FLAGS)),
}
"""Every generation of guests that ever ran; the names are the project's own."""


def generation(name: str) -> Path:
    """Returns the module of a generation, compiled anew if its sources changed."""
    built, folder = GENERATIONS[name], HERE / "generations"
    sources = [folder / source for source in built.sources]
    output = OUTPUT / f"generation-{name}.wasm"
    return _compiled(output, ("cc", "-std=c23", "-Os", *built.flags), sources, folder)


def json_probe() -> Path:
    """Returns a module that reads JSON with the C++ header."""
    flags = ("c++", "-std=c++20", "-Oz", "-fno-exceptions", "-I", str(CPP_GUEST / "include"))
    headers = CPP_GUEST / "include" / "wasmtime"
    return _compiled(OUTPUT / "json-probe.wasm", flags, [HERE / "json_probe.cpp"], headers)


def hostile(source: Path) -> Path:
    """Returns the module of a hostile guest in C++."""
    flags = ("c++", "-std=c++20", "-Oz", "-fno-exceptions")
    return _compiled(OUTPUT / "hostile-cpp.wasm", flags, [source], source.parent)


def _compiled(output: Path, command: tuple[str, ...], sources: list[Path], headers: Path) -> Path:
    newest = max(path.stat().st_mtime for path in (Path(__file__), *sources, *headers.iterdir()))
    if output.exists() and output.stat().st_mtime > newest:
        return output
    output.parent.mkdir(parents=True, exist_ok=True)
    # Tests run in parallel: the module appears at once or not at all.
    with tempfile.TemporaryDirectory(dir=output.parent) as folder:
        partial = Path(folder) / output.name
        flags = ("-target", "wasm32-wasi", "-Wall", "-Werror", "-o", partial)
        subprocess.run([*ZIG, *command, *flags, *sources], check=True)
        partial.replace(output)
    return output
