"""Rust guests of one file that use the project's crate."""

from __future__ import annotations

import os
from pathlib import Path

from wasmtime_attestation_bindgen.files import write

ROOT = Path(__file__).resolve().parents[2]
RUST = ROOT / "guests" / "rust"
SCRATCH = ROOT / "build" / "rust-guests"

MANIFEST = """\
[package]
name = "{name}"
version = "0.1.0"
edition = "2021"

[lib]
crate-type = ["cdylib"]

[features]
legacy = ["wasmtime-attestation/legacy"]

[dependencies]
wasmtime-attestation = {{ path = "{attestation}" }}

[profile.release]
opt-level = "s"
lto = true
codegen-units = 1
panic = "abort"
strip = true

[workspace]
"""

ATTESTS = """\
#[unsafe(no_mangle)]
pub extern "C" fn start() -> usize {
    wasmtime_attestation::attestation::attest_vm().map_or(0, |result| result.token.len())
}
"""


def write_crate(name: str, source: str) -> Path:
    """Writes the crate of a guest and returns its folder."""
    crate = SCRATCH / name
    attestation = os.path.relpath(RUST / "attestation", crate)
    manifest = MANIFEST.format(name=name, attestation=Path(attestation).as_posix())
    write(crate, {"Cargo.toml": manifest, "src/lib.rs": source})
    return crate
