"""C++ guests of the tests, with headers generated from WIT when the tests run."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from wasmtime_attestation_bindgen.cpp import generate
from wasmtime_attestation_bindgen.files import write
from wasmtime_attestation_bindgen.link import Features
from wasmtime_attestation_bindgen.load import load
from wasmtime_attestation_bindgen.model import Resolve
from wasmtime_attestation_bindgen.options import Options
from wasmtime_attestation_bindgen.resolve import resolve
from wasmtime_attestation_bindgen.selection import select_world

from guests.cpp import toolchain
from guests.cpp.toolchain import Model, Toolchain, compile_guest

HERE = Path(__file__).parent
PROJECT = HERE.parents[1]
TORTURE = HERE / "torture"


def model(wit: Path) -> Resolve:
    """Returns the model of a folder of WIT."""
    project = load(wit)
    return resolve(project.main, project.dependencies, Features(all=True))


def header(folder: Path, wit: Path, world: str, *, legacy: bool = False) -> Path:
    """Writes the header of a world and returns where."""
    resolved = model(wit)
    files = generate(resolved, select_world(resolved, world), Options(legacy=legacy))
    write(folder, files)
    (path,) = files
    return folder / path


def library(
    include: Path,
    sources: Sequence[Path],
    flags: Sequence[str] = (),
    *,
    compiler: Toolchain = toolchain.ZIG,
) -> bytes:
    """Returns a module without WASI."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "guest.wasm"
        include_flag = f"-I{include}"
        compile_guest(
            output, sources, [include_flag, *flags], model=Model.LIBRARY, toolchain=compiler
        )
        return output.read_bytes()


def torture_module(
    folder: Path, flags: Sequence[str] = (), *, compiler: Toolchain = toolchain.ZIG
) -> bytes:
    """Returns the module that exports what it imports; a component can be made of it."""
    header(folder, TORTURE / "wit", "torture")
    return library(folder, [TORTURE / "cpp" / "guest.cpp"], flags, compiler=compiler)


def torture_core(folder: Path) -> bytes:
    """Returns the core module that round-trips values through the legacy ABI."""
    header(folder, TORTURE / "wit", "legacy-torture", legacy=True)
    return library(folder, [TORTURE / "cpp" / "legacy.cpp"])
