"""Headers of worlds that are hard for a code generator: they compile, and nothing warns."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from wasmtime_attestation_bindgen.cpp import generate
from wasmtime_attestation_bindgen.errors import WitError
from wasmtime_attestation_bindgen.files import write
from wasmtime_attestation_bindgen.model import Resolve, WorldId
from wasmtime_attestation_bindgen.options import Options

from guests.cpp import toolchain
from tests.guests import cpp_guests

WORLDS = Path(__file__).parent / "worlds"
SUITE = Path(
    os.environ.get("ATTESTATION_WIT_SUITE", cpp_guests.PROJECT.parent / "shared" / "wit-suite")
)
COMPILER = toolchain.debian() or toolchain.ZIG


def worlds(model: Resolve) -> list[tuple[str, WorldId]]:
    return [
        (f"{package.name}/{name}", world)
        for package in model.packages
        for name, world in package.worlds.items()
    ]


OWN = {
    name: (model, world)
    for path in sorted(WORLDS.iterdir())
    for model in [cpp_guests.model(path)]
    for name, world in worlds(model)
}


def compile_header(folder: Path, files: dict[str, str]) -> None:
    write(folder, files)
    (path,) = files
    source = folder / "world.cpp"
    source.write_text(f"#include <{path}>\n#include <{path}>\n")
    command = [*COMPILER.command, *toolchain.LANGUAGE, f"-I{folder}", "-c", str(source)]
    done = subprocess.run(
        [*command, "-o", str(folder / "world.o")], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("name", OWN)
def test_headers_compile(tmp_path: Path, name: str) -> None:
    compile_header(tmp_path, generate(*OWN[name], Options()))


@pytest.mark.parametrize("name", OWN)
def test_lines_are_short(name: str) -> None:
    (text,) = generate(*OWN[name], Options()).values()
    long = [line for line in text.splitlines() if len(line) > 100 and "__asm__" not in line]
    # The assembler's lines, and types that cannot be broken, are as long as they are.
    assert all(".section" in line or "<" in line for line in long), long


@pytest.mark.weekly
def test_headers_of_the_suite_compile(tmp_path: Path) -> None:
    root = SUITE / "wit-parser-ui"
    inputs = [p for p in sorted(root.iterdir()) if p.suffix == ".wit" or p.is_dir()]
    tried = 0
    for path in inputs:
        if path.name == "parse-fail":
            continue
        model = cpp_guests.model(path)
        for name, world in worlds(model):
            try:
                files = generate(model, world, Options())
            except WitError as error:
                assert "cannot express" in error.message  # noqa: PT017
                continue
            tried += 1
            compile_header(tmp_path / f"{tried}", files)
            assert name
    assert tried > 40
