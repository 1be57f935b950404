"""Rust bindings of many worlds: rustc accepts them, and rustfmt would leave them as they are."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from wasmtime_attestation_bindgen.errors import WitError
from wasmtime_attestation_bindgen.files import write
from wasmtime_attestation_bindgen.link import Features
from wasmtime_attestation_bindgen.load import load
from wasmtime_attestation_bindgen.resolve import resolve

from tests.guests.rust_torture import TARGET, bindings
from tests.tools import missing, require

HERE = Path(__file__).parent
WORLDS = HERE / "worlds"
SUITE = Path(os.environ.get("ATTESTATION_WIT_SUITE", HERE.parents[2] / "shared" / "wit-suite"))
BUILD = HERE.parents[1] / "build"

CARGO_TOML = """\
[package]
name = "worlds"
version = "0.1.0"
edition = "2021"

[workspace]
"""


def check(crate: Path, modules: dict[str, dict[str, str]]) -> subprocess.CompletedProcess[str]:
    """Compiles bindings, each a module of one crate, as far as types go."""
    require("rustup")
    shutil.rmtree(crate / "src", ignore_errors=True)
    declared = "".join(f"pub mod {name};\n" for name in sorted(modules))
    write(crate, {"Cargo.toml": CARGO_TOML, "src/lib.rs": declared})
    for name, files in modules.items():
        write(crate / "src" / name, files)
    command = ["cargo", "check", "--quiet", "--target", TARGET, "--target-dir", str(BUILD / "rust")]
    return subprocess.run(command, cwd=crate, check=False, capture_output=True, text=True)


@pytest.fixture(scope="module")
def worlds() -> dict[str, dict[str, str]]:
    return {f"w_{wit.stem}": bindings(wit, None) for wit in sorted(WORLDS.glob("*.wit"))}


def test_own_worlds_compile_without_warnings(worlds: dict[str, dict[str, str]]) -> None:
    done = check(BUILD / "rust-guests" / "worlds", worlds)
    assert done.returncode == 0, done.stderr[:8000]
    assert not done.stderr


def test_own_worlds_are_formatted(worlds: dict[str, dict[str, str]], tmp_path: Path) -> None:
    for name, files in worlds.items():
        write(tmp_path / name, files)
    roots = [tmp_path / name / "mod.rs" for name in worlds]
    done = subprocess.run(
        [require("rustfmt"), "--check", "--edition=2021", "--config=style_edition=2021", *roots],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[:4000]


@pytest.mark.slow
def test_every_world_of_the_suite_compiles_or_is_refused() -> None:
    if not SUITE.exists():
        missing("the WIT suite is not here")
    modules, refused = {}, []
    for number, (wit, world) in enumerate(_suite()):
        try:
            modules[f"w{number}"] = bindings(wit, world, features=["active"])
        except WitError as error:
            refused.append(error.message)
    done = check(BUILD / "rust-guests" / "suite", modules)
    assert done.returncode == 0, done.stderr[:8000]
    assert len(modules) > 30, refused
    assert all("bindings cannot express" in message for message in refused), refused


def _suite() -> list[tuple[Path, str]]:
    found = []
    for answer in sorted((SUITE / "wit-parser-ui").glob("*.wit.json")):
        name = answer.name.removesuffix(".json")
        names = (name, name.removesuffix(".wit"), name.removesuffix(".wit") + ".wat")
        wit = next(p for n in names if (p := answer.with_name(n)).exists())
        project = load(wit)
        model = resolve(project.main, project.dependencies, Features({"active"}))
        for world in model.worlds:
            package = model.packages[world.package].name
            version = "" if package.version is None else f"@{package.version}"
            path = f"{package.namespace}:{package.name}/{world.name}{version}"
            found.append((wit, path))
    return found
