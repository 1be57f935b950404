"""A world's Rust bindings as files."""

from __future__ import annotations

import re
from collections.abc import Iterable

from wasmtime_attestation_bindgen.component_type import component_type
from wasmtime_attestation_bindgen.layout import Layout
from wasmtime_attestation_bindgen.legacy import LegacyFunction, legacy_functions
from wasmtime_attestation_bindgen.model import Resolve, WorldId
from wasmtime_attestation_bindgen.options import Options
from wasmtime_attestation_bindgen.rust import source_files, text
from wasmtime_attestation_bindgen.rust.component_type import section_name
from wasmtime_attestation_bindgen.rust.display import Displays
from wasmtime_attestation_bindgen.rust.exports import Shim
from wasmtime_attestation_bindgen.rust.identifiers import file_name
from wasmtime_attestation_bindgen.rust.limits import check_limits
from wasmtime_attestation_bindgen.rust.modules import (
    Context,
    LegacyForms,
    Module,
    Writer,
    use_order,
)
from wasmtime_attestation_bindgen.rust.places import Place, Places
from wasmtime_attestation_bindgen.surface import Surface, surface


def generate(resolve: Resolve, world_id: WorldId, options: Options) -> dict[str, str]:
    """Returns the Rust bindings of a world: text by path, to be the module `bindings` of a crate.

    Args:
        resolve: the model.
        world_id: the world.
        options: what to generate.

    Raises:
        WitError: the world has something that Rust or the legacy ABI cannot express.
    """
    world = surface(resolve, world_id)
    layout = Layout(resolve)
    legacy = _legacy(resolve, world_id) if options.legacy else None
    check_limits(resolve, world)
    own = next((i.types for i in world.imports if i.id is None), {})
    context = Context(
        resolve, layout, Places(resolve, world), Displays(resolve, layout, world), legacy, own
    )
    modules = _modules(context, world)
    return _Files(resolve, world_id, world, options).all(modules)


def _legacy(resolve: Resolve, world_id: WorldId) -> LegacyForms:
    found: dict[str, dict[str, LegacyFunction]] = {}
    for function in legacy_functions(resolve, world_id):
        found.setdefault(function.module, {})[function.function.name] = function
    return found


def _modules(context: Context, world: Surface) -> list[Module]:
    places = context.places
    imported = [Writer(context, i, places.imports[i.id]).imports() for i in world.imports]
    exported = [Writer(context, i, places.exports[i.id]).exports() for i in world.exports]
    return [*imported, *exported]


class _Files:
    def __init__(
        self, resolve: Resolve, world_id: WorldId, world: Surface, options: Options
    ) -> None:
        self._resolve = resolve
        self._world_id = world_id
        self._world = world
        self._options = options
        package = resolve.packages[world.world.package].name
        version = "" if package.version is None else f"@{package.version}"
        self._name = f"{package.namespace}:{package.name}/{world.world.name}{version}"

    def all(self, modules: list[Module]) -> dict[str, str]:
        roots = [m for m in modules if not m.place.path]
        others = [m for m in modules if m.place.path]
        found = {"mod.rs": self._root(roots, others)}
        for module in others:
            found[module.place.file] = source_files.module(module)
        found["component_type.rs"] = self._component_type()
        found["realloc.rs"] = source_files.realloc(legacy=self._options.legacy)
        found |= {f"{name}.rs": source_files.runtime(name) for name in self._runtime(modules)}
        header = self._header()
        return {path: (header + body).rstrip("\n") + "\n" for path, body in found.items()}

    def _runtime(self, modules: list[Module]) -> list[str]:
        needed = {"abi"}.union(*(module.runtime for module in modules))
        needed |= {"resource"} if "export" in needed else set()
        return sorted(needed | ({"json", "legacy"} if self._options.legacy else set()))

    def _root(self, roots: list[Module], others: list[Module]) -> str:
        tree = _Tree()
        for module in others:
            tree.add(module.place)
        uses = [use for module in roots for use in module.uses]
        used = sorted({name for module in roots for name in module.used})
        if used:
            uses.append(f"use abi::{used[0] if len(used) == 1 else '{' + ', '.join(used) + '}'};")
        shims = [(m, shim) for m in (*roots, *others) for shim in m.shims]
        body = source_files.root(
            docs=text.documentation(self._world.world.docs, "//!"),
            runtime=self._runtime([*roots, *others]),
            tree=tree.lines(),
            uses=sorted(set(uses), key=use_order),
            modules=roots,
        )
        return f"{body}\n{self._export(shims)}" if shims else body

    def _export(self, shims: Iterable[tuple[Module, Shim]]) -> str:
        name = f"__export_{re.sub('[^0-9a-z]', '_', self._name.lower())}"
        paths = [("::".join((*m.place.path, "shims", s.name)), s) for m, s in shims]
        return source_files.export_macro(name, paths)

    def _component_type(self) -> str:
        data = component_type(self._resolve, self._world_id)
        section = section_name(self._name, data)
        return source_files.component_type(section, data, legacy=self._options.legacy)

    def _header(self) -> str:
        flags = " --legacy" if self._options.legacy else ""
        return (
            f"// Generated by wasmtime-attestation-bindgen from the world `{self._name}`.\n"
            f"// Do not edit; run again: wasmtime-attestation-bindgen rust --wit DIR "
            f"--world {self._world.world.name}{flags} -o DIR\n\n"
        )


class _Tree:
    """Modules within modules."""

    def __init__(self) -> None:
        self.children: dict[str, _Tree] = {}

    def add(self, place: Place) -> None:
        node = self
        for name in place.path:
            node = node.children.setdefault(name, _Tree())

    def lines(self) -> list[str]:
        names = sorted(self.children, key=file_name)
        return [line for name in names for line in self.children[name].declared(name)]

    def declared(self, name: str) -> list[str]:
        inner = text.indented(self.lines())
        return [f"pub mod {name} {{", *inner, "}"] if inner else [f"pub mod {name};"]
