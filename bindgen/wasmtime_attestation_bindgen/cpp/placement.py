"""Where each item of a world stands in C++: its namespace, and which of two twins is meant.

An interface that a world both imports and exports has its types once. Only
resources differ by side, and whatever mentions them: an imported one is a
handle of the host's object, an exported one is the guest's own class.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from enum import Enum, auto
from typing import TypeAlias

from wasmtime_attestation_bindgen.cpp.identifiers import RESERVED, Scope, identifier
from wasmtime_attestation_bindgen.kinds import Own, Primitive, Resource, Type, TypeId, references
from wasmtime_attestation_bindgen.model import InterfaceId, InterfaceRef, Resolve
from wasmtime_attestation_bindgen.names import snake
from wasmtime_attestation_bindgen.surface import Instance, Surface

Path: TypeAlias = tuple[str, ...]

WORLD_OF_A_PACKAGE = "imports"
"""A world of this name is all that its package offers, and has the package's namespace."""


class Side(Enum):
    """Which of a world's sides an item is seen from."""

    IMPORT = auto()
    EXPORT = auto()


def package_namespace(resolve: Resolve, package: int) -> str:
    """Returns the namespace of a package."""
    name = resolve.packages[package].name
    return f"{snake(name.namespace)}_{snake(name.name)}"


class Placement:
    """The places of a world's items.

    Args:
        resolve: the model.
        surface: the world's sides.
    """

    def __init__(self, resolve: Resolve, surface: Surface) -> None:
        self._resolve = resolve
        world = surface.world
        package = package_namespace(resolve, world.package)
        whole = world.name == WORLD_OF_A_PACKAGE
        self.root: Path = (package,) if whole else (package, identifier(world.name))
        self._package = world.package
        self._local: dict[TypeId, bool] = {}
        self._imports = self._paths(surface.imports)
        self._exports = self._paths(surface.exports)
        self._names = self._type_names(surface)

    def namespace(self, instance: Instance, side: Side) -> Path:
        """Returns the namespace of an instance's items."""
        if instance.id is None:
            return self.root if side is Side.IMPORT else (*self.root, "exports")
        if side is Side.IMPORT:
            return (*self.root, *self._imports[instance.id])
        return (*self.root, "exports", *self._exports[instance.id])

    def type(self, id_: TypeId, side: Side) -> tuple[Path, str]:
        """Returns the namespace and the name of a named type."""
        owner = self._resolve.types[id_].owner
        name = self._names[id_]
        if not isinstance(owner, InterfaceRef):
            return self.root, name
        exported = side is Side.EXPORT and owner.id in self._exports and self.is_local(id_)
        if exported or owner.id not in self._imports:
            return (*self.root, "exports", *self._exports[owner.id]), name
        return (*self.root, *self._imports[owner.id]), name

    def is_local(self, type_: Type) -> bool:
        """Whether a type is, or mentions, a resource of an interface that the world exports."""
        if isinstance(type_, Primitive):
            return False
        if type_ not in self._local:
            definition = self._resolve.types[type_]
            owner = definition.owner
            own = isinstance(definition.kind, Resource) and isinstance(owner, InterfaceRef)
            self._local[type_] = (
                own and isinstance(owner, InterfaceRef) and owner.id in self._exports
            ) or any(map(self.is_local, references(definition.kind)))
        return self._local[type_]

    def has_resource(self, type_: Type) -> bool:
        """Whether a value of a type holds a handle, owned or borrowed."""
        if isinstance(type_, Primitive):
            return False
        kind = self._resolve.types[type_].kind
        return isinstance(kind, Resource) or any(map(self.has_resource, references(kind)))

    def owns(self, type_: Type) -> bool:
        """Whether a value of a type owns a resource, so that it is moved and not copied."""
        if isinstance(type_, Primitive):
            return False
        kind = self._resolve.types[type_].kind
        return isinstance(kind, Own) or any(map(self.owns, references(kind)))

    def _paths(self, instances: Iterable[Instance]) -> dict[InterfaceId, Path]:
        named = [(instance.id, instance) for instance in instances if instance.id is not None]
        versions = Counter(instance.module.partition("@")[0] for _, instance in named)
        taken: set[Path] = {(name,) for name in self._root_names(instances)}
        paths: dict[InterfaceId, Path] = {}
        for id_, instance in named:
            name, _, version = instance.module.partition("@")
            path = self._path(id_, instance.module)
            if versions[name] > 1:
                last = path[-1] + "_v" + "".join(c if c.isalnum() else "_" for c in version)
                path = (*path[:-1], last)
            while path in taken:
                path = (*path[:-1], path[-1] + "_")
            taken.add(path)
            paths[id_] = path
        return paths

    def _path(self, id_: InterfaceId, module: str) -> Path:
        interface = self._resolve.interfaces[id_]
        if interface.name is None:
            return (identifier(module),)
        if interface.package == self._package:
            return (identifier(interface.name),)
        return package_namespace(self._resolve, interface.package), identifier(interface.name)

    def _root_names(self, instances: Iterable[Instance]) -> set[str]:
        root = [instance for instance in instances if instance.id is None]
        return {
            identifier(name)
            for instance in root
            for name in (*instance.types, *(function.name for function in instance.functions))
        }

    def _type_names(self, surface: Surface) -> dict[TypeId, str]:
        names: dict[TypeId, str] = {}
        for instance in (*surface.imports, *surface.exports):
            scope = Scope(*RESERVED)
            for name, id_ in instance.types.items():
                names.setdefault(id_, scope.claim(name))
        return names
