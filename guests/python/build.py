"""Builds the Python guests with componentize-py."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
GUESTS = ROOT / "build" / "guests"
NAMES = ("reporter", "trainer")
"""Each guest is a folder, its main module, and the world in its `wit`."""
PACKAGE = HERE / "wasmtime_attestation_guest"
INSTALL = (
    *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
    *("--no-deps", "--no-build-isolation", "--no-cache-dir"),
)
IMPORTS = f"{PACKAGE.name}=wasmtime:attestation/imports@0.1.0"


def main() -> None:
    """Builds the guests that are older than their sources."""
    old = [name for name in NAMES if not _is_current(name)]
    if not old:
        return
    GUESTS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=GUESTS) as folder:
        packages = Path(folder) / "packages"
        subprocess.run([*INSTALL, f"--target={packages}", HERE], check=True)  # noqa: S603
        for name in old:
            print(f"building {_output(name).name} …", flush=True)
            _build(name, packages, Path(folder) / f"{name}.wasm")


def _build(name: str, packages: Path, partial: Path) -> None:
    tool = Path(sys.executable).parent / "componentize-py"
    world = f"wasmtime-attestation:example/{name}@0.1.0"
    options = [f"--wit-path={HERE / name / 'wit'}", f"--world={world}"]
    where = [f"--python-path={path}" for path in (HERE / name, packages)]
    application = [f"--module-worlds={IMPORTS}", *where, name, f"--output={partial}"]
    subprocess.run([tool, "--quiet", *options, "componentize", *application], check=True)  # noqa: S603
    partial.replace(_output(name))


def _output(name: str) -> Path:
    return GUESTS / f"python-{name}.wasm"


def _is_current(name: str) -> bool:
    output = _output(name)
    return output.exists() and output.stat().st_mtime > max(
        source.stat().st_mtime for source in _sources(name)
    )


def _sources(name: str) -> list[Path]:
    own = (file for file in (HERE / name).rglob("*") if file.suffix in {".py", ".wit"})
    package = (file for file in PACKAGE.glob("*") if file.is_file())
    return [Path(__file__), *own, *package, *(ROOT / "wit").glob("*.wit")]


if __name__ == "__main__":
    main()
