"""Compile time and size of a Rust guest that only attests, beside the crate `wit-bindgen`.

Both are built from nothing in a temporary folder, with the same settings; the
crate `wit-bindgen` is fetched from its registry, so this needs the network and rustup.
Run `python -m benchmarks.rust_guest`.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from wasmtime_attestation_bindgen.component_new import component_new

ROOT = Path(__file__).resolve().parents[1]
TARGET = "wasm32-unknown-unknown"
ROUNDS = 3

MANIFEST = """\
[package]
name = "guest"
version = "0.1.0"
edition = "2021"

[lib]
crate-type = ["cdylib"]

[dependencies]
{dependency}

[profile.release]
opt-level = "s"
lto = true
codegen-units = 1
panic = "abort"
strip = true

[workspace]
"""

WIT = """\
package example:guest;

world guest {
  include wasmtime:attestation/imports@0.1.0;
  export run: func() -> result<string, string>;
}
"""

THEIRS = """\
wit_bindgen::generate!({ world: "guest", path: "wit", generate_all });

use wasmtime::attestation::attestation::attest_vm;

struct Attests;

impl Guest for Attests {
    fn run() -> Result<String, String> {
        attest_vm().map(|result| result.token).map_err(|error| format!("{error:?}"))
    }
}

export!(Attests);
"""

OURS = """\
mod bindings;

use bindings::wasmtime::attestation::attestation::attest_vm;
use bindings::Guest;

struct Attests;

impl Guest for Attests {
    fn run() -> Result<String, String> {
        attest_vm().map(|result| result.token).map_err(|error| format!("{error:?}"))
    }
}

bindings::export!(Attests);
"""


@dataclass(frozen=True)
class Measured:
    """What one way of making the guest costs.

    Attributes:
        seconds: to compile everything, dependencies included; the least of some rounds.
        again: to compile after a change of the guest's own source.
        core: bytes of the core module.
        component: bytes of the component.
    """

    seconds: float
    again: float
    core: int
    component: int


def main() -> None:
    """Prints both, side by side."""
    with tempfile.TemporaryDirectory() as folder:
        ours = _measure(_ours(Path(folder) / "ours"))
        theirs = _measure(_theirs(Path(folder) / "theirs"))
    rows = [
        (
            "compile, everything",
            f"{ours.seconds:.2f} s",
            f"{theirs.seconds:.2f} s",
            theirs.seconds / ours.seconds,
        ),
        (
            "compile, after a change",
            f"{ours.again:.2f} s",
            f"{theirs.again:.2f} s",
            theirs.again / ours.again,
        ),
        ("core module", f"{ours.core:,} B", f"{theirs.core:,} B", theirs.core / ours.core),
        (
            "component",
            f"{ours.component:,} B",
            f"{theirs.component:,} B",
            theirs.component / ours.component,
        ),
    ]
    print("| guest that only attests | this project | wit-bindgen | ratio |")
    print("|---|---:|---:|---:|")
    for name, our, their, ratio in rows:
        print(f"| {name} | {our} | {their} | {ratio:.2f} |")


def _ours(crate: Path) -> Path:
    _lay_out(crate, MANIFEST.format(dependency=""), OURS)
    command = [sys.executable, "-m", "wasmtime_attestation_bindgen", "rust", "--wit", "wit"]
    _run([*command, "--world", "guest", "-o", "src/bindings"], crate)
    return crate


def _theirs(crate: Path) -> Path:
    _lay_out(crate, MANIFEST.format(dependency='wit-bindgen = "0.*"'), THEIRS)
    _run(["cargo", "fetch", "--quiet"], crate)
    return crate


def _lay_out(crate: Path, manifest: str, source: str) -> None:
    dependency = crate / "wit" / "deps" / "attestation"
    dependency.mkdir(parents=True)
    (crate / "src").mkdir()
    for file in (ROOT / "wit").glob("*.wit"):
        (dependency / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    (crate / "wit" / "guest.wit").write_text(WIT, encoding="utf-8")
    (crate / "Cargo.toml").write_text(manifest, encoding="utf-8")
    (crate / "src" / "lib.rs").write_text(source, encoding="utf-8")


def _measure(crate: Path) -> Measured:
    everything, again = [], []
    for number in range(ROUNDS):
        _run(["cargo", "clean", "--quiet"], crate)
        everything.append(_build(crate))
        with (crate / "src" / "lib.rs").open("a", encoding="utf-8") as file:
            file.write(f"// {number}\n")
        again.append(_build(crate))
    core = (crate / "target" / TARGET / "release" / "guest.wasm").read_bytes()
    return Measured(min(everything), min(again), len(core), len(component_new(core)))


def _build(crate: Path) -> float:
    start = time.perf_counter()
    _run(["cargo", "build", "--quiet", "--release", "--offline", "--target", TARGET], crate)
    return time.perf_counter() - start


def _run(command: list[str], folder: Path) -> None:
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
