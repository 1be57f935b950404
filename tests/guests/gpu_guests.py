"""The guest that attests GPUs, built from one source for both ABIs."""

from __future__ import annotations

from pathlib import Path

from wasmtime_attestation_bindgen.component_new import component_new

from guests.cpp.toolchain import HERE as CPP
from guests.cpp.toolchain import LEGACY, Model, compile_guest
from tests.guests.build import OUTPUT

SOURCE = Path(__file__).with_name("gpu_guest.cpp")


def legacy() -> Path:
    """Returns the core module, compiled anew if its source changed."""
    output = OUTPUT / "gpu-guest.wasm"
    if _is_old(output):
        compile_guest(output, [SOURCE], [LEGACY, f"-I{CPP}"])
    return output


def component() -> Path:
    """Returns the component, likewise."""
    output = OUTPUT / "gpu-guest-component.wasm"
    if _is_old(output):
        core = output.with_suffix(".core.wasm")
        flags = [f"-I{CPP}", f"-I{CPP / 'generated'}"]
        compile_guest(core, [SOURCE], flags, model=Model.LIBRARY)
        partial = output.with_suffix(".partial")
        partial.write_bytes(component_new(core.read_bytes()))
        partial.replace(output)
    return output


def _is_old(output: Path) -> bool:
    sources = (SOURCE, CPP / "console.hpp", *(CPP / "include" / "wasmtime").iterdir())
    newest = max(source.stat().st_mtime for source in sources)
    return not output.exists() or output.stat().st_mtime <= newest
