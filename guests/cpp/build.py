"""Builds the C++ guest with the compiler that the package ziglang brings."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
OUTPUT = HERE.parents[1] / "build" / "guests" / "cpp-reporter.wasm"
SOURCES = (HERE / "reporter.cpp", HERE / "include" / "wasmtime_attestation.hpp", Path(__file__))
COMPILE = (sys.executable, "-m", "ziglang", "c++", "-target", "wasm32-wasi", "-std=c++20", "-Oz")
FLAGS = ("-fno-exceptions", "-Wall", "-Wextra", "-Werror", "-s", "-I", str(HERE / "include"))


def main() -> None:
    """Compiles the guest if it is older than its sources."""
    if OUTPUT.exists() and OUTPUT.stat().st_mtime > max(s.stat().st_mtime for s in SOURCES):
        return
    print(f"building {OUTPUT.name}; the first time takes about a minute", flush=True)
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=OUTPUT.parent) as folder:
        partial = Path(folder) / OUTPUT.name
        subprocess.run([*COMPILE, *FLAGS, str(SOURCES[0]), "-o", partial], check=True)  # noqa: S603
        partial.replace(OUTPUT)


if __name__ == "__main__":
    main()
