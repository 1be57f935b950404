"""Adding to a world what follows from the rest (component-model, WIT.md, "WIT Worlds").

An interface that uses types of another cannot be imported without it, nor
exported: the other one must be exported too, or imported.
"""

from __future__ import annotations

from wasmtime_attestation_bindgen.errors import WitError
from wasmtime_attestation_bindgen.link.graph import Graph
from wasmtime_attestation_bindgen.model import (
    FunctionItem,
    InterfaceId,
    InterfaceItem,
    Stability,
    TypeItem,
    World,
    WorldId,
    WorldItem,
    WorldKey,
)

LONGEST_USE_CHAIN = 200
"""Interfaces that use types of interfaces that use types and so on."""


def elaborate(graph: Graph, id_: WorldId) -> None:
    """Adds to a world the interfaces that it must import or export, and orders its items.

    Raises:
        WitError: an exported interface would see the same types both imported
            and exported, or the chain of interfaces is too long.
    """
    world = graph.worlds[id_]
    elaboration = _Elaboration(graph, world)
    elaboration.run()
    imports = dict(sorted(elaboration.imports.items(), key=lambda kv: _rank(graph, kv[1])))
    graph.worlds[id_] = world._replace(imports=imports, exports=elaboration.exports)


def _rank(graph: Graph, item: WorldItem) -> int:
    """What orders imports: types may use interfaces, and functions use types."""
    match item:
        case InterfaceItem():
            return 0
        case TypeItem(type_):
            return 2 if graph.used_interface(type_) is None else 1
        case FunctionItem(function):
            return 3 if function.kind.resource is None else 4


class _Elaboration:
    def __init__(self, graph: Graph, world: World) -> None:
        self._graph = graph
        self._world = world
        self._required: set[InterfaceId] = set()
        self._depth = 0
        self.imports: dict[WorldKey, WorldItem] = {}
        self.exports: dict[WorldKey, WorldItem] = {}

    def run(self) -> None:
        in_order = sorted(self._world.imports.items(), key=lambda kv: _rank(self._graph, kv[1]))
        for key, item in in_order:
            self._import_item(key, item)
        for key, item in self._world.exports.items():
            if not isinstance(item, InterfaceItem):
                self.exports[key] = item
        for key, item in self._world.exports.items():
            if isinstance(item, InterfaceItem) and not self._export(key, item):
                raise self._incompatible(item)

    def _import_item(self, key: WorldKey, item: WorldItem) -> None:
        if isinstance(item, InterfaceItem):
            self._import(key, item)
            return
        if isinstance(item, TypeItem):
            used = self._graph.used_interface(item.id)
            if used is not None:
                self._import(used, InterfaceItem(used, self._graph.types[item.id].stability))
        self.imports[key] = item

    def _import(self, key: WorldKey, item: InterfaceItem) -> None:
        if key in self.imports:
            return
        self._enter()
        for used in self._graph.used_interfaces(item.id):
            self._import(used, _implied(used, item.stability))
        self._depth -= 1
        self.imports[key] = item

    def _export(self, key: WorldKey, item: InterfaceItem) -> bool:
        """Exports an interface and what it uses; returns whether the two go together."""
        if key in self.exports:
            return True
        self._enter()
        for used in self._graph.used_interfaces(item.id):
            implied = _implied(used, item.stability)
            needed = self._export if used in self._world.exports else self._require
            if not needed(used, implied):
                return False
        self._depth -= 1
        if item.id in self._required:
            return False
        self.exports[key] = item
        return True

    def _require(self, key: WorldKey, item: InterfaceItem) -> bool:
        """Imports what an export uses; returns whether no export stands in the way."""
        if key in self.exports:
            return False
        if item.id in self._required:
            return True
        self._enter()
        for used in self._graph.used_interfaces(item.id):
            if not self._require(used, _implied(used, item.stability)):
                return False
        self._depth -= 1
        self._required.add(item.id)
        self.imports.setdefault(key, item)
        return True

    def _enter(self) -> None:
        self._depth += 1
        if self._depth > LONGEST_USE_CHAIN:
            raise WitError(
                f"world `{self._world.name}` needs a chain of more than {LONGEST_USE_CHAIN} "
                "interfaces that use each other's types",
                self._world.span,
            )

    def _incompatible(self, item: InterfaceItem) -> WitError:
        return WitError(
            f"world `{self._world.name}` exports an interface that would see the same types "
            "both imported and exported",
            self._world.span,
            help="export every interface between the two",
            others=[] if item.span is None else [("the interface is exported here", item.span)],
        )


def _implied(id_: InterfaceId, stability: Stability) -> InterfaceItem:
    return InterfaceItem(id_, stability)
