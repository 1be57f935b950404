"""Builds the C++ guest twice from one source: for the legacy ABI, and as a component."""

from __future__ import annotations

from pathlib import Path

from toolchain import HERE, LEGACY, Model, compile_guest
from wasmtime_attestation_bindgen.component_new import component_new

ROOT = HERE.parents[1]
BUILD = ROOT / "build" / "guests"
LEGACY_GUEST = BUILD / "cpp-reporter.wasm"
COMPONENT = BUILD / "cpp-reporter-component.wasm"
REPORTER = HERE / "reporter.cpp"
HEADERS = (HERE / "include", HERE / "generated")
SOURCES = (
    *sorted(HERE.glob("*.cpp")),
    *sorted(HERE.glob("*.py")),
    *sorted((HERE / "src").iterdir()),
    *(header for folder in HEADERS for header in sorted(folder.rglob("*.hpp"))),
)


def main() -> None:
    """Compiles what is older than its sources."""
    newest = max(source.stat().st_mtime for source in SOURCES)
    if not _is_newer(LEGACY_GUEST, newest):
        print(f"building {LEGACY_GUEST.name}; the first time takes about a minute", flush=True)
        compile_guest(LEGACY_GUEST, [REPORTER], [LEGACY])
    if not _is_newer(COMPONENT, newest):
        print(f"building {COMPONENT.name}", flush=True)
        _build_component()


def _build_component() -> None:
    core = COMPONENT.with_suffix(".core.wasm")
    flags = [f"-I{HERE / 'generated'}"]
    compile_guest(core, [REPORTER], flags, model=Model.LIBRARY)
    partial = COMPONENT.with_suffix(".partial")
    partial.write_bytes(component_new(core.read_bytes()))
    partial.replace(COMPONENT)


def _is_newer(output: Path, instant: float) -> bool:
    return output.exists() and output.stat().st_mtime > instant


if __name__ == "__main__":
    main()
