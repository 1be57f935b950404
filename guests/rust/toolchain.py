"""Which Rust compiles for WebAssembly on this machine, and how it is called.

Either rustup, whose targets are added on demand, or what Debian packages as
`rustc-web`, `cargo-web` and `rust-web-src`, which brings no compiled standard
library for WebAssembly and therefore builds it along.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

COMPONENT = "wasm32-wasip2"
"""Commands that are components."""
CORE = "wasm32-wasip1"
"""Commands that are core modules."""
LIBRARY = "wasm32-unknown-unknown"
"""Core modules that import no WASI."""

_DEBIAN_CARGO = Path("/usr/bin/cargo")
_DEBIAN_RUSTC = Path("/usr/bin/rustc")
_DEBIAN_LINKERS = ("wasm-ld", "wasm-ld-19", "wasm-ld-21", "wasm-ld-20", "wasm-ld-18")
_NEEDED = (
    "there is no Rust for WebAssembly here: install rustup (https://rustup.rs), or on Debian "
    "rustc-web, cargo-web, rust-web-src, lld and wasi-libc"
)


@dataclass(frozen=True)
class Toolchain:
    """A way to call cargo.

    Attributes:
        rustup: whether it is rustup's; Debian's otherwise.
        sources: where Debian has the standard library's sources.
    """

    rustup: bool
    sources: Path | None = None

    def has(self, target: str) -> bool:
        """Whether a target can be built for; rustup downloads it if it is missing."""
        if not self.rustup:
            return target != COMPONENT
        add = ["rustup", "target", "add", target]
        done = subprocess.run(add, check=False, capture_output=True)  # noqa: S603
        return done.returncode == 0

    def build(self, crate: Path, target: str, output: Path, features: Sequence[str] = ()) -> Path:
        """Builds a crate for release and returns the folder of what was made.

        Args:
            crate: the folder of its `Cargo.toml`.
            target: what to build for.
            output: cargo's target folder.
            features: of the crate.

        Raises:
            CalledProcessError: cargo failed; it printed why.
        """
        command = [*self._cargo(target), "build", "--release", "--quiet", f"--target={target}"]
        command += [f"--manifest-path={crate / 'Cargo.toml'}", f"--target-dir={output}"]
        command += [f"--features={feature}" for feature in features]
        subprocess.run(command, check=True, env=self._environment())  # noqa: S603
        return output / target / "release"

    def _cargo(self, target: str) -> list[str]:
        if self.rustup:
            return ["cargo"]
        vendor = f'source.vendored.directory="{self.sources}/library/vendor"'
        flags = ["-Zbuild-std=std,panic_abort", "--offline"]
        flags += ["--config", 'source.crates-io.replace-with="vendored"', "--config", vendor]
        linker = next((found for name in _DEBIAN_LINKERS if (found := shutil.which(name))), None)
        if linker is not None:
            flags += ["--config", f'target.{target}.linker="{linker}"']
        if target == CORE:
            rustflags = '["-Clink-self-contained=no", "-L/usr/lib/wasm32-wasi"]'
            flags += ["--config", f"target.{target}.rustflags={rustflags}"]
        return [str(_DEBIAN_CARGO), *flags]

    def _environment(self) -> dict[str, str]:
        if self.rustup:
            return dict(os.environ)
        return os.environ | {"RUSTC": str(_DEBIAN_RUSTC), "RUSTC_BOOTSTRAP": "1"}


def find() -> Toolchain:
    """Returns this machine's Rust for WebAssembly.

    Raises:
        SystemExit: there is none; the message says what to install.
    """
    if shutil.which("rustup") and shutil.which("cargo"):
        return Toolchain(rustup=True)
    sources = sorted(Path("/usr/src").glob("rustc-*"))
    if sources and _DEBIAN_CARGO.exists() and _DEBIAN_RUSTC.exists():
        return Toolchain(rustup=False, sources=sources[-1])
    sys.exit(_NEEDED)
