"""Hosts that are generated for a test, and guests that hand on every call."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

from wasmtime import wat2wasm
from wasmtime_attestation_bindgen import files
from wasmtime_attestation_bindgen.component_new import component_new
from wasmtime_attestation_bindgen.component_type import component_type
from wasmtime_attestation_bindgen.host import generate
from wasmtime_attestation_bindgen.layout import CoreSignature, Layout
from wasmtime_attestation_bindgen.link import Features
from wasmtime_attestation_bindgen.load import load
from wasmtime_attestation_bindgen.model import Resolve, WorldId
from wasmtime_attestation_bindgen.options import Options
from wasmtime_attestation_bindgen.resolve import resolve
from wasmtime_attestation_bindgen.selection import select_world
from wasmtime_attestation_bindgen.surface import ROOT, Instance, surface


def read(wit: Path, world: str | None = None) -> tuple[Resolve, WorldId]:
    """Returns the model of a file or folder, and one of its worlds."""
    project = load(wit)
    model = resolve(project.main, project.dependencies, Features())
    return model, select_world(model, world)


def generated(wit: str, folder: Path) -> dict[str, str]:
    """Returns the modules for WIT text."""
    file = folder / "world.wit"
    file.write_text(wit)
    return generate(*read(file), Options())


def imported(
    wit: Path, folder: Path, world_name: str | None = None
) -> tuple[ModuleType, ModuleType]:
    """Generates a host into a package of its own and returns its two modules: types, linking."""
    model, world = read(wit, world_name)
    package = f"generated_{abs(hash(folder))}"
    written = files.write(folder / package, generate(model, world, Options()))
    sys.path.insert(0, str(folder))
    try:
        types, linking = (
            importlib.import_module(f"{package}.{path.removesuffix('.py')}") for path in written
        )
    finally:
        sys.path.remove(str(folder))
    return types, linking


def forwarder(model: Resolve, world: WorldId) -> bytes:
    """Returns a component that exports what it imports, and hands every call on.

    Arguments and results pass through its memory unread, so what comes back is
    what the host gave. Only functions are forwarded, not resources.
    """
    layout, sides = Layout(model), surface(model, world)
    imports: list[str] = []
    exports: list[str] = []
    for instance in sides.exports:
        for function in instance.functions:
            if function.kind.resource is not None:
                continue
            name = f"${instance.module}.{function.name}"
            lowered, lifted = layout.lowered(function), layout.lifted(function)
            source = "run" if function.name == "run" else function.name
            imports.append(
                f'(import "{instance.module}" "{source}" (func {name} {_type(lowered)}))'
            )
            exports.append(_export(instance, function.name, name, lowered, lifted))
    payload = "".join(f"\\{byte:02x}" for byte in component_type(model, world))
    text = (
        f"(module {''.join(imports)} {_MEMORY} {''.join(exports)}"
        f' (@custom "component-type" "{payload}"))'
    )
    return component_new(bytes(wat2wasm(text)))


def _type(signature: CoreSignature) -> str:
    params = "".join(f"(param {core})" for core in signature.params)
    return params + "".join(f"(result {core})" for core in signature.results)


def _export(
    instance: Instance, function: str, name: str, lowered: CoreSignature, lifted: CoreSignature
) -> str:
    count = len(lowered.params) - lowered.return_pointer
    arguments = " ".join(f"(local.get {index})" for index in range(count))
    call = f"(call {name} {arguments})"
    if lowered.return_pointer:
        call = f"(call {name} {arguments} (i32.const 1024)) (i32.const 1024)"
    prefix = "" if instance.module == ROOT else f"{instance.module}#"
    return f'(func (export "{prefix}{function}") {_type(lifted)} {call})'


_MEMORY = """
(memory (export "memory") 64)
(global $next (mut i32) (i32.const 65536))
(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (local $at i32)
  (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
  (global.set $next (i32.add (local.get $at) (local.get 3)))
  (local.get $at))
"""
