"""Builds each Rust guest as a component and as a core module, from one source."""

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
CRATES = ("reporter", "trainer")
BUILDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "": (toolchain.COMPONENT, ()),
    "-legacy": (toolchain.CORE, ("legacy",)),
}
"""How a guest's file name ends, its target and its features."""


def main() -> None:
    """Builds the guests that are older than their sources."""
    old = [
        (crate, ending)
        for crate in CRATES
        for ending in BUILDS
        if not _is_newer(GUESTS / _name(crate, ending), _sources(crate))
    ]
    if old:
        rust = toolchain.find()
        for crate, ending in old:
            _build(rust, crate, ending)


def _build(rust: toolchain.Toolchain, crate: str, ending: str) -> None:
    target, features = BUILDS[ending]
    name = _name(crate, ending)
    if not rust.has(target):
        print(f"leaving out {name}: this Rust has no target {target}")
        return
    print(f"building {name} …", flush=True)
    made = rust.build(HERE / crate, target, BUILD / "rust", features)
    _place(made / f"{crate}.wasm", GUESTS / name)


def _name(crate: str, ending: str) -> str:
    return f"rust-{crate}{ending}.wasm"


def _sources(crate: str) -> list[Path]:
    crates = (HERE / "attestation", HERE / crate)
    files = [file for folder in crates for file in folder.rglob("src/**/*.rs")]
    return [*files, *(folder / "Cargo.toml" for folder in crates), *HERE.glob("*.py")]


def _is_newer(output: Path, sources: list[Path]) -> bool:
    return output.exists() and output.stat().st_mtime > max(s.stat().st_mtime for s in sources)


def _place(made: Path, output: Path) -> None:
    output.parent.mkdir(parents=True, exist_ok=True)
    # The guest appears at once or not at all.
    with tempfile.TemporaryDirectory(dir=output.parent) as folder:
        partial = Path(folder) / output.name
        shutil.copyfile(made, partial)
        partial.replace(output)


if __name__ == "__main__":
    main()
