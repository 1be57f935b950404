"""Which Rust compiles for WebAssembly on this machine, and how it is called.

Either rustup's, whose targets are added on demand, or what Debian packages as
`rustc-web`, `cargo-web` and `rust-web-src`, which brings no compiled standard
library for WebAssembly and therefore builds it along.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

COMPONENT = "wasm32-wasip2"
"""Commands that are components."""
CORE = "wasm32-wasip1"
"""Commands that are core modules."""
LIBRARY = "wasm32-unknown-unknown"
"""Core modules that import no WASI."""

START = Path(__file__).resolve().parents[1] / "cpp" / "src" / "start.c"
_LINKERS = ("wasm-ld", "wasm-ld-19", "wasm-ld-21", "wasm-ld-20", "wasm-ld-18")
_WASI_LIBC = Path("/usr/lib/wasm32-wasi")
_NEEDED = (
    "there is no Rust for WebAssembly here: install rustup (https://rustup.rs), or on Debian "
    "rustc-web, cargo-web, rust-web-src, lld and wasi-libc"
)


class Toolchain(ABC):
    """A Rust that compiles for WebAssembly."""

    @abstractmethod
    def has(self, target: str) -> bool:
        """Whether it builds for a target."""

    @abstractmethod
    def cargo(self, target: str, output: Path) -> list[str]:
        """Returns cargo and its flags for a target; what they need is made in a folder."""

    @property
    def environment(self) -> Mapping[str, str]:
        """What cargo finds in its environment."""
        return os.environ

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
        command = [*self.cargo(target, output), "build", "--release", "--quiet"]
        command += [f"--target={target}", f"--target-dir={output}"]
        command += [f"--manifest-path={crate / 'Cargo.toml'}"]
        command += [f"--features={feature}" for feature in features]
        subprocess.run(command, check=True, env=self.environment)  # noqa: S603
        return output / target / "release"


class Rustup(Toolchain):
    """What rustup installs."""

    def has(self, target: str) -> bool:
        """Whether it builds for a target, which is downloaded if it is missing."""
        add = ["rustup", "target", "add", target]
        done = subprocess.run(add, check=False, capture_output=True)  # noqa: S603
        return done.returncode == 0

    def cargo(self, target: str, output: Path) -> list[str]:  # noqa: ARG002 - it needs no flags
        """Returns cargo as rustup calls it."""
        return ["cargo"]


@dataclass(frozen=True)
class Debian(Toolchain):
    """What Debian packages.

    Attributes:
        sources: of the standard library.
        linker: LLVM's for WebAssembly.
        binaries: the folder of cargo and rustc.
    """

    sources: Path
    linker: str
    binaries: Path = Path("/usr/bin")

    @property
    def environment(self) -> Mapping[str, str]:
        """Names Debian's rustc, and lets it take `-Z`."""
        return os.environ | {"RUSTC": str(self.binaries / "rustc"), "RUSTC_BOOTSTRAP": "1"}

    def has(self, target: str) -> bool:
        """Whether it builds for a target; the C library of components is not packaged."""
        return target == LIBRARY or (target == CORE and _WASI_LIBC.exists())

    def cargo(self, target: str, output: Path) -> list[str]:
        """Returns Debian's cargo, which builds the standard library from Debian's sources."""
        settings: dict[str, str | list[str]] = {
            "source.crates-io.replace-with": "vendored",
            "source.vendored.directory": f"{self.sources}/library/vendor",
            f"target.{target}.linker": self.linker,
        }
        if target == CORE:
            flags = ["-Clink-self-contained=no", f"-L{_WASI_LIBC}", f"-Clink-arg={_start(output)}"]
            settings[f"target.{target}.rustflags"] = flags
        options = [f"--config={name}={json.dumps(value)}" for name, value in settings.items()]
        return [str(self.binaries / "cargo"), "-Zbuild-std=std,panic_abort", "--offline", *options]


def _start(folder: Path) -> Path:
    # Debian's crt1-command.o makes every export run the constructors again, cabi_realloc too.
    folder.mkdir(parents=True, exist_ok=True)
    start = folder / "start.o"
    compiler = (sys.executable, "-m", "ziglang", "cc", "-target", "wasm32-wasi", "-O2")
    subprocess.run([*compiler, "-c", str(START), "-o", str(start)], check=True)  # noqa: S603
    return start


def rustup() -> Rustup | None:
    """Returns rustup's Rust, where that is installed."""
    return Rustup() if shutil.which("rustup") and shutil.which("cargo") else None


def debian() -> Debian | None:
    """Returns Debian's Rust, where that is installed with its sources and a linker."""
    linkers = [path for name in _LINKERS if (path := shutil.which(name))]
    sources = sorted(Path("/usr/src").glob("rustc-*/library"))
    if not linkers or not sources:
        return None
    rust = Debian(sources[-1].parent, linkers[0])
    return rust if all((rust.binaries / name).exists() for name in ("cargo", "rustc")) else None


def find() -> Toolchain:
    """Returns this machine's Rust for WebAssembly; rustup's, if it has two.

    Raises:
        SystemExit: there is none; the message says what to install.
    """
    return rustup() or debian() or sys.exit(_NEEDED)
