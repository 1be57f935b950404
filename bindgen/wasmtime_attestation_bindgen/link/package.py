"""One package's draft into the model."""

from __future__ import annotations

from wasmtime_attestation_bindgen.draft import Draft
from wasmtime_attestation_bindgen.kinds import Unknown
from wasmtime_attestation_bindgen.link.elaborate import elaborate
from wasmtime_attestation_bindgen.link.features import Features
from wasmtime_attestation_bindgen.link.foreign import connect
from wasmtime_attestation_bindgen.link.graph import Graph
from wasmtime_attestation_bindgen.link.includes import check_names, include
from wasmtime_attestation_bindgen.link.remap import Remap
from wasmtime_attestation_bindgen.model import (
    FunctionItem,
    Interface,
    InterfaceId,
    InterfaceItem,
    Package,
    PackageId,
    Stability,
    TypeItem,
    WorldId,
    WorldItem,
    WorldItems,
    WorldKey,
)
from wasmtime_attestation_bindgen.source import Span


def link_package(graph: Graph, draft: Draft, features: Features) -> PackageId:
    """Adds a package to the model; those that it names must be there.

    Raises:
        WitError: a name of another package is unknown, a feature that
            something needs is not active, or a world contradicts itself.
    """
    if draft.encoded:
        features = features._replace(settled=True)
    linker = _Linker(graph, draft, features)
    connect(graph, draft, features, linker.remap)
    linker.add_types()
    linker.add_interfaces()
    linker.add_worlds()
    linker.settle_owners()
    linker.complete_worlds()
    return linker.finish()


class _Linker:
    def __init__(self, graph: Graph, draft: Draft, features: Features) -> None:
        self._graph = graph
        self._draft = draft
        self._features = features
        self._package = graph.add_package(Package(draft.name, {}, {}, draft.docs))
        self._interfaces: dict[str, InterfaceId] = {}
        self._worlds: dict[str, WorldId] = {}
        self.remap = Remap(graph)

    def _exists(self, stability: Stability, span: Span | None) -> bool:
        return self._features.include(stability, self._draft.name, span)

    def add_types(self) -> None:
        """Adds the types; their owners remain those of the draft until `settle_owners`."""
        for definition in self._draft.types[len(self.remap.types) :]:
            if not self._exists(definition.stability, definition.span):
                self.remap.types.append(None)
                continue
            kind = self.remap.kind(definition.kind, definition.span)
            self.remap.types.append(self._graph.add_type(definition._replace(kind=kind)))

    def add_interfaces(self) -> None:
        """Adds the interfaces."""
        for interface in self._draft.interfaces[len(self.remap.interfaces) :]:
            if not self._exists(interface.stability, interface.span):
                self.remap.interfaces.append(None)
                continue
            id_ = self._graph.add_interface(self._interface(interface))
            self.remap.interfaces.append(id_)
            if interface.name is not None:
                self._interfaces[interface.name] = id_

    def _interface(self, interface: Interface) -> Interface:
        types = {name: self.remap.types[id_] for name, id_ in interface.types.items()}
        functions = {
            name: self.remap.function(function)
            for name, function in interface.functions.items()
            if self._exists(function.stability, function.span)
        }
        return interface._replace(
            types={name: id_ for name, id_ in types.items() if id_ is not None},
            functions=functions,
            package=self._package,
        )

    def add_worlds(self) -> None:
        """Adds the worlds, without what they include and what follows."""
        for world in self._draft.worlds[len(self.remap.worlds) :]:
            if not self._exists(world.stability, world.span):
                self.remap.worlds.append(None)
                continue
            imports = self._items(world.imports)
            exports = self._items(world.exports)
            id_ = self._graph.add_world(
                world._replace(imports=imports, exports=exports, package=self._package)
            )
            self.remap.worlds.append(id_)
            self._worlds[world.name] = id_

    def _items(self, items: WorldItems) -> WorldItems:
        found: dict[WorldKey, WorldItem] = {}
        for key, item in items.items():
            match item:
                case TypeItem(type_):
                    # wit-parser, too, refuses a world whose own type is not active.
                    span = self._draft.types[type_].span
                    found[key] = TypeItem(self.remap.type(type_, span))
                case FunctionItem(function):
                    if self._exists(function.stability, function.span):
                        found[key] = FunctionItem(self.remap.function(function))
                case InterfaceItem(interface):
                    if self._exists(item.stability, item.span):
                        new = self.remap.interface(interface, item.span)
                        found[key if isinstance(key, str) else new] = item._replace(id=new)
        return found

    def settle_owners(self) -> None:
        """Gives the package's types the owners that they have now."""
        for draft_type, id_ in zip(self._draft.types, self.remap.types, strict=True):
            if id_ is not None and not isinstance(draft_type.kind, Unknown):
                owner = self.remap.owner(draft_type.owner, draft_type.span)
                self._graph.types[id_] = self._graph.types[id_]._replace(owner=owner)

    def complete_worlds(self) -> None:
        """Adds to each world what it includes and what follows from all of it."""
        for draft_id, how in self._draft.includes.items():
            id_ = self.remap.worlds[draft_id]
            if id_ is None:
                continue
            for each in how:
                if self._exists(each.stability, each.span):
                    include(self._graph, id_, self.remap.world(each.world, each.span), each)
            check_names(self._graph.worlds[id_])
            elaborate(self._graph, id_)

    def finish(self) -> PackageId:
        """Returns the package's index, after the package has learnt what it holds."""
        package = self._graph.packages[self._package]
        self._graph.packages[self._package] = package._replace(
            interfaces=self._interfaces, worlds=self._worlds
        )
        return self._package
