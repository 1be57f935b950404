"""What is known of a package while its names are resolved."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from wasmtime_attestation_bindgen.kinds import Kind, TypeId
from wasmtime_attestation_bindgen.model import (
    Interface,
    InterfaceId,
    InterfaceRef,
    PackageId,
    PackageName,
    Stability,
    TypeDef,
    World,
    WorldId,
    WorldRef,
)
from wasmtime_attestation_bindgen.source import Span

Item: TypeAlias = InterfaceRef | WorldRef
"""What a path outside of interfaces and worlds can name."""

ITSELF = PackageId(0)
"""A draft holds one package."""


@dataclass(slots=True)
class ForeignItem:
    """An interface or world of another package, and the gates of every path that names it."""

    item: Item
    gates: list[Stability] = field(default_factory=list)


@dataclass(slots=True)
class ForeignPackage:
    """Another package, where it is named first, and what is used of it."""

    span: Span
    items: dict[str, ForeignItem] = field(default_factory=dict)


class Include(NamedTuple):
    """`include`: which world, what to rename, where."""

    world: WorldId
    renames: tuple[tuple[str, str], ...]
    stability: Stability
    span: Span


@dataclass(slots=True)
class Draft:
    """A package whose own names are resolved.

    Stand-ins for what other packages define come first among interfaces,
    worlds and types; stand-ins for types have the kind `Unknown`.

    Attributes:
        name: the package's name.
        span: where the package's name stands.
        docs: its documentation.
        encoded: whether it was in binary form, which holds what exists and no more.
        foreign: other packages that it names, in order.
        includes: what each world includes, in order.
        resources: stand-ins for types that must turn out to be resources, and why.
        anonymous: types without a name, by kind, so that each exists once.
    """

    name: PackageName
    span: Span
    docs: str | None
    encoded: bool = False
    types: list[TypeDef] = field(default_factory=list)
    interfaces: list[Interface] = field(default_factory=list)
    worlds: list[World] = field(default_factory=list)
    foreign: dict[PackageName, ForeignPackage] = field(default_factory=dict)
    includes: dict[WorldId, list[Include]] = field(default_factory=dict)
    resources: list[tuple[TypeId, Span]] = field(default_factory=list)
    anonymous: dict[Kind, TypeId] = field(default_factory=dict)

    def add_interface(self, name: str | None, span: Span) -> InterfaceId:
        """Adds an interface, empty for now, and returns its index."""
        self.interfaces.append(Interface(name, {}, {}, ITSELF, span=span))
        return InterfaceId(len(self.interfaces) - 1)

    def add_world(self, name: str, span: Span) -> WorldId:
        """Adds a world, empty for now, and returns its index."""
        self.worlds.append(World(name, {}, {}, ITSELF, span=span))
        return WorldId(len(self.worlds) - 1)

    def add_type(self, definition: TypeDef) -> TypeId:
        """Adds a type and returns its index."""
        self.types.append(definition)
        return TypeId(len(self.types) - 1)

    def foreign_items(self) -> set[Item]:
        """Returns the stand-ins for other packages' interfaces and worlds."""
        return {item.item for package in self.foreign.values() for item in package.items.values()}
