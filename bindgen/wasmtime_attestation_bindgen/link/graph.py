"""The model while it grows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from wasmtime_attestation_bindgen import kinds
from wasmtime_attestation_bindgen.errors import WitError
from wasmtime_attestation_bindgen.kinds import Primitive, Type, TypeId
from wasmtime_attestation_bindgen.model import (
    Interface,
    InterfaceId,
    InterfaceRef,
    Package,
    PackageId,
    PackageName,
    TypeDef,
    World,
    WorldId,
)

MOST_TYPES = 100_000
"""Types in one model; all of WASI has under a thousand."""
DEEPEST_TYPE = 150
"""Types within types, names looked through; engines refuse more than 100."""


class _Traits(NamedTuple):
    """What must be known of a type again and again."""

    depth: int
    is_resource: bool
    has_borrow: bool


@dataclass(slots=True)
class Graph:
    """Everything that is linked so far, with what later steps ask of it."""

    types: list[TypeDef] = field(default_factory=list)
    interfaces: list[Interface] = field(default_factory=list)
    worlds: list[World] = field(default_factory=list)
    packages: list[Package] = field(default_factory=list)
    names: dict[PackageName, PackageId] = field(default_factory=dict)
    included: int = 0
    """How many items `include` has brought into worlds so far."""
    _traits: list[_Traits] = field(default_factory=list)
    _used: dict[InterfaceId, tuple[InterfaceId, ...]] = field(default_factory=dict)

    def add_type(self, definition: TypeDef) -> TypeId:
        """Adds a type, those it mentions are there already, and returns its index.

        Raises:
            WitError: there are too many types, or it nests too deep.
        """
        if len(self.types) == MOST_TYPES:
            raise WitError(f"there are more than {MOST_TYPES} types", definition.span)
        self._traits.append(self._traits_of(definition))
        self.types.append(definition)
        return TypeId(len(self.types) - 1)

    def _traits_of(self, definition: TypeDef) -> _Traits:
        kind = definition.kind
        inner = [
            self._traits[type_]
            for type_ in kinds.references(kind)
            if not isinstance(type_, Primitive)
        ]
        depth = 1 + max((traits.depth for traits in inner), default=0)
        if depth > DEEPEST_TYPE:
            raise WitError(f"this type nests deeper than {DEEPEST_TYPE} levels", definition.span)
        alias_of_resource = isinstance(kind, kinds.Alias) and any(t.is_resource for t in inner)
        return _Traits(
            depth,
            is_resource=isinstance(kind, kinds.Resource) or alias_of_resource,
            has_borrow=isinstance(kind, kinds.Borrow) or any(t.has_borrow for t in inner),
        )

    def is_resource(self, id_: TypeId) -> bool:
        """Whether a type is a resource, by whatever name."""
        return self._traits[id_].is_resource

    def has_borrow(self, type_: Type) -> bool:
        """Whether a value of a type can hold a borrowed handle."""
        return not isinstance(type_, Primitive) and self._traits[type_].has_borrow

    def add_interface(self, interface: Interface) -> InterfaceId:
        """Adds an interface, its types are there already, and returns its index."""
        self.interfaces.append(interface)
        return InterfaceId(len(self.interfaces) - 1)

    def add_world(self, world: World) -> WorldId:
        """Adds a world and returns its index."""
        self.worlds.append(world)
        return WorldId(len(self.worlds) - 1)

    def add_package(self, package: Package) -> PackageId:
        """Adds a package and returns its index."""
        id_ = PackageId(len(self.packages))
        self.packages.append(package)
        self.names[package.name] = id_
        return id_

    def used_interfaces(self, id_: InterfaceId) -> tuple[InterfaceId, ...]:
        """Returns the interfaces that an interface uses types of, in the order of their use.

        The owners of the interface's types must be settled by then.
        """
        if id_ not in self._used:
            found = map(self.used_interface, self.interfaces[id_].types.values())
            self._used[id_] = tuple(dict.fromkeys(used for used in found if used is not None))
        return self._used[id_]

    def used_interface(self, id_: TypeId) -> InterfaceId | None:
        """Returns the interface that a type is used from, if it is used from another one."""
        definition = self.types[id_]
        if not isinstance(definition.kind, kinds.Alias):
            return None
        target = definition.kind.type
        if isinstance(target, Primitive):
            return None
        owner = self.types[target].owner
        if owner == definition.owner or not isinstance(owner, InterfaceRef):
            return None
        return owner.id
