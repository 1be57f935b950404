"""`include`: one world's items in another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from wasmtime_attestation_bindgen.draft.state import Include
from wasmtime_attestation_bindgen.errors import WitError
from wasmtime_attestation_bindgen.link.clone import Cloner
from wasmtime_attestation_bindgen.link.graph import Graph
from wasmtime_attestation_bindgen.model import (
    UNKNOWN,
    FunctionItem,
    InterfaceItem,
    Stability,
    TypeItem,
    World,
    WorldId,
    WorldItem,
    WorldItems,
    WorldKey,
    WorldRef,
)

MOST_INCLUDED = 100_000
"""Items that `include` brings into the worlds of one model; worlds in worlds multiply them."""


def include(graph: Graph, id_: WorldId, included: WorldId, how: Include) -> None:
    """Adds a world's items to another world.

    Args:
        graph: where both stand.
        id_: the world that gets the items.
        included: the world that gives them; elaborated.
        how: what to rename, and where that is written.

    Raises:
        WitError: a name is taken, there is nothing to rename, or the two
            worlds disagree about an interface's stability.
    """
    inclusion = _Inclusion(graph, id_, included, how)
    inclusion.check_renames()
    world = graph.worlds[id_]
    imports = inclusion.merge("import", world.imports, graph.worlds[included].imports)
    exports = inclusion.merge("export", world.exports, graph.worlds[included].exports)
    graph.worlds[id_] = world._replace(imports=imports, exports=exports)


class _Inclusion:
    def __init__(self, graph: Graph, id_: WorldId, included: WorldId, how: Include) -> None:
        self._graph = graph
        self._how = how
        self._included = graph.worlds[included]
        world = graph.worlds[id_]
        self._external = world.package != self._included.package
        self._cloner = Cloner(graph, WorldRef(included), WorldRef(id_), world.package)

    def check_renames(self) -> None:
        names = [
            key
            for key in (*self._included.imports, *self._included.exports)
            if isinstance(key, str)
        ]
        for old, new in self._how.renames:
            if all(_renamed(name, old, new) is None for name in names):
                raise WitError(
                    f"world `{self._included.name}` has no import or export named `{old}`",
                    self._how.span,
                    help="an interface that is imported or exported by its path keeps its name",
                )

    def merge(self, direction: str, into: WorldItems, items: WorldItems) -> WorldItems:
        self._count(len(items))
        merged = dict(into)
        for key, item in items.items():
            if isinstance(key, str):
                name = self._new_name(key)
                if name in merged:
                    raise WitError(f"`{name}` is {direction}ed already", self._how.span)
                merged[name] = self._named(name, self._cloner.item(item))
            elif isinstance(item, InterfaceItem):
                merged[key] = self._joined(merged.get(key, item), item)
        return merged

    def _count(self, items: int) -> None:
        self._graph.included += items
        if self._graph.included > MOST_INCLUDED:
            raise WitError(
                f"`include` brings more than {MOST_INCLUDED} items into worlds", self._how.span
            )

    def _new_name(self, name: str) -> str:
        candidates = (_renamed(name, old, new) for old, new in self._how.renames)
        return next((new for new in candidates if new is not None), name)

    def _named(self, name: str, item: WorldItem) -> WorldItem:
        if isinstance(item, FunctionItem):
            return FunctionItem(item.function._replace(name=name))
        if isinstance(item, TypeItem):
            self._graph.types[item.id] = self._graph.types[item.id]._replace(name=name)
        return item

    def _joined(self, there: WorldItem, item: InterfaceItem) -> WorldItem:
        if not isinstance(there, InterfaceItem):
            return there
        return there._replace(stability=self._stability(there.stability, item.stability))

    def _stability(self, there: Stability, given: Stability) -> Stability:
        if self._external and given.since is not None:
            # Versions of another package mean nothing in this one.
            return UNKNOWN
        if UNKNOWN not in (there, given) and there != given:
            raise WitError(
                "an interface has one gate in this world and another in the world included",
                self._how.span,
                help="give both the same `@since` or `@unstable`",
            )
        return there if given == UNKNOWN else given


def _renamed(name: str, old: str, new: str) -> str | None:
    """Returns a world item's name after a renaming, or None where it does not apply.

    A resource's functions, `[method]old.function`, are renamed with it.
    """
    if name == old:
        return new
    prefix, bracket, rest = name.rpartition("]")
    resource, dot, function = rest.partition(".")
    if not bracket or resource != old:
        return None
    return f"{prefix}]{new}{dot}{function}"


def check_names(world: World) -> None:
    """Refuses names that differ by case only.

    Raises:
        WitError: there are such names among the world's imports or exports.
    """
    for direction, items in (("import", world.imports), ("export", world.exports)):
        _check_names(direction, items, world)


def _check_names(direction: str, items: Mapping[WorldKey, WorldItem], world: World) -> None:
    seen: dict[str, str] = {}
    for name in _names(items):
        first = seen.setdefault(name.lower(), name)
        if first != name:
            raise WitError(
                f"world `{world.name}` {direction}s both `{first}` and `{name}`, "
                "and case does not count",
                world.span,
            )


def _names(items: Iterable[WorldKey]) -> Iterable[str]:
    return (key for key in items if isinstance(key, str))
