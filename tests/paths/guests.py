"""The guest that asks for tokens of services, built from one source for both ABIs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from wasmtime_attestation_bindgen.component_new import component_new

from guests.cpp.toolchain import HERE as CPP
from guests.cpp.toolchain import LEGACY, Model, compile_guest
from tests.guests.build import OUTPUT

SOURCE = Path(__file__).with_name("guest.cpp")


def core() -> Path:
    """Returns the core module, compiled anew if its source changed."""
    output = OUTPUT / "paths-guest.wasm"
    if _is_old(output):
        compile_guest(output, [SOURCE], [LEGACY, f"-I{CPP}"])
    return output


def component() -> Path:
    """Returns the component, likewise."""
    output = OUTPUT / "paths-guest-component.wasm"
    if _is_old(output):
        module = output.with_suffix(".core.wasm")
        flags = [f"-I{CPP}", f"-I{CPP / 'generated'}"]
        compile_guest(module, [SOURCE], flags, model=Model.LIBRARY)
        partial = output.with_suffix(".partial")
        partial.write_bytes(component_new(module.read_bytes()))
        partial.replace(output)
    return output


ABIS: Mapping[str, Callable[[], Path]] = MappingProxyType({"component": component, "core": core})


def _is_old(output: Path) -> bool:
    sources = (SOURCE, CPP / "console.hpp", *(CPP / "include" / "wasmtime").iterdir())
    newest = max(source.stat().st_mtime for source in sources)
    return not output.exists() or output.stat().st_mtime <= newest
