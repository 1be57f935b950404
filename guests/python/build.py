"""Builds the Python guest with componentize-py."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
OUTPUT = ROOT / "build" / "guests" / "python-reporter.wasm"
WIT = (ROOT / "wit", HERE / "wit")
SOURCES = (
    HERE / "reporter.py",
    Path(__file__),
    *(file for folder in WIT for file in sorted(folder.rglob("*.wit"))),
)
WORLD = "wasmtime-attestation:example/reporter@0.1.0"


def main() -> None:
    """Builds the guest if it is older than its sources."""
    if OUTPUT.exists() and OUTPUT.stat().st_mtime > max(s.stat().st_mtime for s in SOURCES):
        return
    print(f"building {OUTPUT.name} …", flush=True)
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    tool = Path(sys.executable).parent / "componentize-py"
    world = [*(f"--wit-path={folder}" for folder in WIT), f"--world={WORLD}"]
    with tempfile.TemporaryDirectory(dir=OUTPUT.parent) as folder:
        partial = Path(folder) / OUTPUT.name
        application = [f"--python-path={HERE}", "reporter"]
        command = [tool, "--quiet", *world, "componentize", *application, f"--output={partial}"]
        subprocess.run(command, check=True)  # noqa: S603
        partial.replace(OUTPUT)


if __name__ == "__main__":
    main()
