"""Where every interface of a world is in Rust: a module on one of two sides."""

from __future__ import annotations

import re
from typing import NamedTuple

from wasmtime_attestation_bindgen.errors import WitError
from wasmtime_attestation_bindgen.kinds import Alias, Resource, TypeId
from wasmtime_attestation_bindgen.model import InterfaceId, InterfaceRef, PackageName, Resolve
from wasmtime_attestation_bindgen.rust.identifiers import file_name, value_name
from wasmtime_attestation_bindgen.surface import Instance, Surface

EXPORTS = "exports"
_OUR_MODULES = frozenset(
    {
        *("abi", "component_type", "export", EXPORTS, "json", "legacy", "r#mod", "realloc"),
        *("resource", "shims"),
    }
)


class Place(NamedTuple):
    """A module of the bindings.

    Attributes:
        path: the names of modules from the root of the bindings.
        exported: whether it is on the side of what the world exports.
        interface: the interface; None for the world's own items.
    """

    path: tuple[str, ...]
    exported: bool
    interface: InterfaceId | None

    @property
    def file(self) -> str:
        """The file, relative to the root of the bindings."""
        return "/".join(map(file_name, self.path)) + ".rs" if self.path else "mod.rs"

    @property
    def root(self) -> str:
        """The path to the root of the bindings, to be continued: `super::super::`."""
        return "super::" * len(self.path)


class Places:
    """The modules of a world.

    Args:
        resolve: the model.
        world: the world.

    Raises:
        WitError: two interfaces would be in the same module.
    """

    def __init__(self, resolve: Resolve, world: Surface) -> None:
        self._resolve = resolve
        self._packages = self._packages_of(world)
        self._versions = self._version_modules()
        self.imports = {i.id: self._place(i, exported=False) for i in world.imports}
        self.exports = {i.id: self._place(i, exported=True) for i in world.exports}
        self._check((*self.imports.values(), *self.exports.values()))

    def root(self) -> Place:
        """Returns the place of the world's own items, on either side."""
        return Place((), exported=False, interface=None)

    def of_type(self, id_: TypeId, seen_from: Place) -> Place:
        """Returns where a type is defined that a module mentions."""
        owner = self._resolve.types[id_].owner
        if not isinstance(owner, InterfaceRef):
            return self.root()
        if owner.id == seen_from.interface:
            return seen_from
        if seen_from.exported and owner.id in self.exports:
            return self.exports[owner.id]
        return self.imports[owner.id]

    def own_resource(self, id_: TypeId, seen_from: Place) -> bool:
        """Whether a type that a module mentions is a resource which this world exports."""
        place = self.of_type(id_, seen_from)
        kind = self._resolve.types[id_].kind
        if isinstance(kind, Alias) and not isinstance(kind.type, str):
            return self.own_resource(kind.type, place)
        return isinstance(kind, Resource) and place.exported

    def _place(self, instance: Instance, *, exported: bool) -> Place:
        side = (EXPORTS,) if exported and instance.id is not None else ()
        return Place((*side, *self._path(instance)), exported, instance.id)

    def _path(self, instance: Instance) -> tuple[str, ...]:
        if instance.id is None:
            return ()
        interface = self._resolve.interfaces[instance.id]
        if interface.name is None:
            return (self._inline(instance.module),)
        package = self._resolve.packages[interface.package].name
        names = _module(package.namespace), value_name(package.name)
        return (*names, *self._version(package), value_name(interface.name))

    def _inline(self, name: str) -> str:
        """Returns the module of an interface without a package, beside those of namespaces."""
        module = _module(name)
        return f"{module}_" if module in {_module(p.namespace) for p in self._packages} else module

    def _version(self, package: PackageName) -> tuple[str, ...]:
        versions = self._versions[package.namespace, package.name]
        return (versions[str(package.version)],) if len(versions) > 1 else ()

    def _version_modules(self) -> dict[tuple[str, str], dict[str, str]]:
        found: dict[tuple[str, str], dict[str, str]] = {}
        for package in self._packages:
            modules = found.setdefault((package.namespace, package.name), {})
            version = str(package.version)
            module = "v" + re.sub(r"[^0-9a-z]", "_", version.lower())
            while module in modules.values():
                module += "_"
            modules[version] = module
        return found

    def _packages_of(self, world: Surface) -> list[PackageName]:
        ids = [i.id for i in (*world.imports, *world.exports) if i.id is not None]
        interfaces = [self._resolve.interfaces[id_] for id_ in ids]
        packages = {i.package: None for i in interfaces if i.name is not None}
        return [self._resolve.packages[package].name for package in packages]

    def _check(self, places: tuple[Place, ...]) -> None:
        paths = [place.path for place in places if place.path]
        for path in {path for path in paths if paths.count(path) > 1}:
            raise WitError(f"two interfaces would be the module `{'::'.join(path)}`")


def _module(name: str) -> str:
    module = value_name(name)
    return f"{module}_" if module in _OUR_MODULES else module
