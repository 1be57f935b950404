"""Builds the Python guest with componentize-py."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
OUTPUT = ROOT / "build" / "guests" / "python-reporter.wasm"
REPORTER = HERE / "reporter"
PACKAGE = HERE / "wasmtime_attestation_guest"
SOURCES = (
    Path(__file__),
    *(file for file in sorted(REPORTER.rglob("*")) if file.suffix in {".py", ".wit"}),
    *(file for file in sorted(PACKAGE.glob("*")) if file.is_file()),
    *sorted((ROOT / "wit").glob("*.wit")),
)
WORLD = "wasmtime-attestation:example/reporter@0.1.0"
INSTALL = (
    *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
    *("--no-deps", "--no-build-isolation", "--no-cache-dir"),
)
IMPORTS = f"{PACKAGE.name}=wasmtime:attestation/imports@0.1.0"


def main() -> None:
    """Builds the guest if it is older than its sources."""
    if OUTPUT.exists() and OUTPUT.stat().st_mtime > max(s.stat().st_mtime for s in SOURCES):
        return
    print(f"building {OUTPUT.name} …", flush=True)
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    tool = Path(sys.executable).parent / "componentize-py"
    world = [f"--wit-path={REPORTER / 'wit'}", f"--world={WORLD}"]
    with tempfile.TemporaryDirectory(dir=OUTPUT.parent) as folder:
        partial, packages = Path(folder) / OUTPUT.name, Path(folder) / "packages"
        subprocess.run([*INSTALL, f"--target={packages}", HERE], check=True)  # noqa: S603
        where = [f"--python-path={path}" for path in (REPORTER, packages)]
        application = [f"--module-worlds={IMPORTS}", *where, "reporter", f"--output={partial}"]
        subprocess.run([tool, "--quiet", *world, "componentize", *application], check=True)  # noqa: S603
        partial.replace(OUTPUT)


if __name__ == "__main__":
    main()
