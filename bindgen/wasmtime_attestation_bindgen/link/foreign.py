"""What other packages define, in place of a draft's stand-ins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from wasmtime_attestation_bindgen import kinds
from wasmtime_attestation_bindgen.draft import Draft
from wasmtime_attestation_bindgen.draft.state import ForeignItem, ForeignPackage
from wasmtime_attestation_bindgen.errors import WitError
from wasmtime_attestation_bindgen.kinds import TypeId
from wasmtime_attestation_bindgen.link.features import Features
from wasmtime_attestation_bindgen.link.graph import Graph
from wasmtime_attestation_bindgen.link.remap import Remap
from wasmtime_attestation_bindgen.model import (
    InterfaceId,
    InterfaceRef,
    Package,
    PackageName,
    TypeDef,
    WorldId,
)
from wasmtime_attestation_bindgen.source import Span

Id = TypeVar("Id", InterfaceId, WorldId)


def connect(graph: Graph, draft: Draft, features: Features, remap: Remap) -> None:
    """Fills the beginning of `remap`, where a draft has its stand-ins.

    Raises:
        WitError: another package, or something in it, does not exist, or is
            not what the draft needs.
    """
    connection = _Connection(graph, draft, features, remap)
    for name, package in draft.foreign.items():
        connection.package(name, package)
    connection.types()
    connection.check_resources()


class _Connection:
    def __init__(self, graph: Graph, draft: Draft, features: Features, remap: Remap) -> None:
        self._graph = graph
        self._draft = draft
        self._features = features
        self._remap = remap
        count = sum(len(package.items) for package in draft.foreign.values())
        interfaces = sum(isinstance(item, InterfaceRef) for item in draft.foreign_items())
        remap.interfaces.extend([None] * interfaces)
        remap.worlds.extend([None] * (count - interfaces))

    def package(self, name: PackageName, package: ForeignPackage) -> None:
        """Connects the interfaces and worlds of one other package."""
        if name not in self._graph.names:
            known = ", ".join(f"`{other}`" for other in self._graph.names)
            raise WitError(
                f"there is no package `{name}`",
                package.span,
                help=f"put it into the folder `deps`; the packages so far are {known}",
            )
        found = self._graph.packages[self._graph.names[name]]
        for item_name, item in package.items.items():
            self._item(found, item_name, item)

    def _item(self, package: Package, name: str, item: ForeignItem) -> None:
        ref = item.item
        if isinstance(ref, InterfaceRef):
            span = self._draft.interfaces[ref.id].span
            if self._needed(item, span):
                interface = _find("interface", package, package.interfaces, name, span)
                self._remap.interfaces[ref.id] = interface
        else:
            span = self._draft.worlds[ref.id].span
            if self._needed(item, span):
                world = _find("world", package, package.worlds, name, span)
                self._remap.worlds[ref.id] = world

    def _needed(self, item: ForeignItem, span: Span | None) -> bool:
        return any(self._features.include(gate, self._draft.name, span) for gate in item.gates)

    def types(self) -> None:
        """Connects the types that are used from other packages' interfaces."""
        for definition in self._draft.types:
            if not isinstance(definition.kind, kinds.Unknown):
                return
            exists = self._features.include(definition.stability, self._draft.name, definition.span)
            self._remap.types.append(self._type(definition) if exists else None)

    def _type(self, stand_in: TypeDef) -> TypeId:
        owner = self._remap.owner(stand_in.owner, stand_in.span)
        if not isinstance(owner, InterfaceRef) or stand_in.name is None:
            raise AssertionError("a stand-in for a type has a name and stands in an interface")
        interface = self._graph.interfaces[owner.id]
        if stand_in.name not in interface.types:
            raise WitError(
                f"interface `{interface.name}` has no type `{stand_in.name}`", stand_in.span
            )
        return interface.types[stand_in.name]

    def check_resources(self) -> None:
        """Refuses handles of types that turn out to be no resources."""
        for id_, span in self._draft.resources:
            found = self._remap.types[id_]
            # A type whose feature is not active is refused where it is needed.
            if found is not None and not self._graph.is_resource(found):
                raise WitError(f"`{self._draft.types[id_].name}` is not a resource", span)


def _find(what: str, package: Package, items: Mapping[str, Id], name: str, span: Span | None) -> Id:
    if name not in items:
        raise WitError(f"package `{package.name}` has no {what} `{name}`", span)
    return items[name]
