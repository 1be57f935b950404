"""Builds the Rust guest that hands every value on, with bindings generated anew."""

from __future__ import annotations

import subprocess
import tomllib
from collections.abc import Sequence
from pathlib import Path

from wasmtime_attestation_bindgen import rust
from wasmtime_attestation_bindgen.files import write
from wasmtime_attestation_bindgen.link import Features
from wasmtime_attestation_bindgen.load import load
from wasmtime_attestation_bindgen.options import Options
from wasmtime_attestation_bindgen.resolve import resolve
from wasmtime_attestation_bindgen.selection import select_world

from tests.tools import require

HERE = Path(__file__).parent
BUILD = HERE.parents[1] / "build"
TARGET = "wasm32-unknown-unknown"


def bindings(
    wit: Path, world: str | None, *, legacy: bool = False, features: Sequence[str] = ()
) -> dict[str, str]:
    """Generates the bindings of a world."""
    project = load(wit)
    model = resolve(project.main, project.dependencies, Features(features))
    return rust.generate(model, select_world(model, world), Options(legacy=legacy))


def build(source: Path, wit: Path, world: str, features: Sequence[str] = ()) -> Path:
    """Returns the core module of a guest that has its bindings in `src/bindings`."""
    require("rustup")
    crate = BUILD / "rust-guests" / "-".join([source.parent.name, source.name, world])
    for file in source.rglob("*"):
        if file.is_file() and file.suffix in (".rs", ".toml"):
            write(crate, {str(file.relative_to(source)): file.read_text()})
    write(crate / "src" / "bindings", bindings(wit, world, legacy="legacy" in features))
    command = ["cargo", "build", "--quiet", "--release", "--target", TARGET]
    command += [f"--features={feature}" for feature in features]
    subprocess.run([*command, "--target-dir", BUILD / "rust"], cwd=crate, check=True)
    name = tomllib.loads((source / "Cargo.toml").read_text())["package"]["name"]
    return BUILD / "rust" / TARGET / "release" / f"{name}.wasm"


def torture() -> Path:
    """Returns the core module of the torture guest."""
    return build(HERE / "torture" / "rust", HERE / "torture" / "wit", "torture")
