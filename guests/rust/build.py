"""Builds the Rust guest as a component and as a core module, from one source."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import toolchain  # noqa: E402 - it lies beside this script

BUILD = HERE.parents[1] / "build"
GUESTS = BUILD / "guests"
REPORTER = HERE / "reporter"
BUILDS = {
    "rust-reporter.wasm": (toolchain.COMPONENT, ()),
    "rust-reporter-legacy.wasm": (toolchain.CORE, ("legacy",)),
}
"""File, target and features."""


def main() -> None:
    """Builds the guests that are older than their sources."""
    newest = max(path.stat().st_mtime for path in _sources())
    rust = None
    for name, (target, features) in BUILDS.items():
        output = GUESTS / name
        if output.exists() and output.stat().st_mtime > newest:
            continue
        rust = rust or toolchain.find()
        if not rust.has(target):
            print(f"leaving out {name}: this Rust has no target {target}")
            continue
        print(f"building {name} …", flush=True)
        made = rust.build(REPORTER, target, BUILD / "rust", features)
        _place(made / "reporter.wasm", output)


def _sources() -> list[Path]:
    crates = (HERE / "attestation", REPORTER)
    files = [file for crate in crates for file in crate.rglob("src/**/*.rs")]
    return [*files, *(crate / "Cargo.toml" for crate in crates), *HERE.glob("*.py")]


def _place(made: Path, output: Path) -> None:
    output.parent.mkdir(parents=True, exist_ok=True)
    # The guest appears at once or not at all.
    with tempfile.TemporaryDirectory(dir=output.parent) as folder:
        partial = Path(folder) / output.name
        shutil.copyfile(made, partial)
        partial.replace(output)


if __name__ == "__main__":
    main()
