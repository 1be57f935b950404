"""Builds each C++ guest twice from one source: for the legacy ABI, and as a component."""

from __future__ import annotations

from pathlib import Path

from toolchain import HERE, LEGACY, Model, compile_guest
from wasmtime_attestation_bindgen.component_new import component_new

ROOT = HERE.parents[1]
BUILD = ROOT / "build" / "guests"
GUESTS = {"reporter": HERE / "reporter.cpp", "trainer": HERE / "trainer" / "trainer.cpp"}
HEADERS = (HERE / "include", HERE / "generated")
SHARED = (
    *sorted(HERE.glob("*.hpp")),
    *sorted(HERE.glob("*.py")),
    *sorted((HERE / "src").iterdir()),
    *(header for folder in HEADERS for header in sorted(folder.rglob("*.hpp"))),
)


def main() -> None:
    """Compiles what is older than its sources."""
    for name, source in GUESTS.items():
        own = [source] if source.parent == HERE else sorted(source.parent.iterdir())
        newest = max(file.stat().st_mtime for file in (*SHARED, *own))
        legacy = BUILD / f"cpp-{name}.wasm"
        if not _is_newer(legacy, newest):
            print(f"building {legacy.name}; the first time takes about a minute", flush=True)
            compile_guest(legacy, [source], [LEGACY, f"-I{HERE}"])
        component = BUILD / f"cpp-{name}-component.wasm"
        if not _is_newer(component, newest):
            print(f"building {component.name}", flush=True)
            _build_component(source, component)


def _build_component(source: Path, component: Path) -> None:
    core = component.with_suffix(".core.wasm")
    flags = [f"-I{HERE}", f"-I{HERE / 'generated'}"]
    compile_guest(core, [source], flags, model=Model.LIBRARY)
    partial = component.with_suffix(".partial")
    partial.write_bytes(component_new(core.read_bytes()))
    partial.replace(component)


def _is_newer(output: Path, instant: float) -> bool:
    return output.exists() and output.stat().st_mtime > instant


if __name__ == "__main__":
    main()
