"""What is left of a world when a module does not use all of it.

A component imports no more than its module calls, so that any host that has
that much can run it; types stay where a function or an export needs them.
"""

from __future__ import annotations

from collections.abc import Iterable

from wasmtime_attestation_bindgen.component_new.plan import Call, Intrinsic, Plan
from wasmtime_attestation_bindgen.kinds import Primitive, Type, TypeId, references
from wasmtime_attestation_bindgen.model import (
    Function,
    FunctionItem,
    Interface,
    InterfaceId,
    InterfaceItem,
    InterfaceRef,
    Resolve,
    TypeItem,
    WorldItem,
    WorldItems,
    WorldKey,
)


class LiveTypes:
    """Types with all that they mention.

    Args:
        resolve: the model.
    """

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self._found: set[TypeId] = set()

    def __contains__(self, id_: TypeId) -> bool:
        return id_ in self._found

    def add(self, types: Iterable[Type]) -> None:
        """Adds types."""
        left = list(types)
        while left:
            type_ = left.pop()
            if not isinstance(type_, Primitive) and type_ not in self._found:
                self._found.add(type_)
                left.extend(references(self._resolve.types[type_].kind))

    def add_function(self, function: Function) -> None:
        """Adds the types that a function mentions."""
        self.add(param.type for param in function.params)
        self.add([] if function.result is None else [function.result])
        self.add([] if function.kind.resource is None else [function.kind.resource])

    def owned(self) -> list[tuple[InterfaceId, TypeId]]:
        """Returns the types that interfaces define, each after those that it mentions."""
        types = ((self._resolve.types[id_].owner, id_) for id_ in sorted(self._found))
        return [(owner.id, id_) for owner, id_ in types if isinstance(owner, InterfaceRef)]


def of_interface(resolve: Resolve, id_: InterfaceId) -> LiveTypes:
    """Returns the types that an interface mentions."""
    live = LiveTypes(resolve)
    live.add(resolve.interfaces[id_].types.values())
    for function in resolve.interfaces[id_].functions.values():
        live.add_function(function)
    return live


def prune(plan: Plan) -> tuple[Resolve, WorldItems]:
    """Returns the model with only what is used of imported interfaces, and what is imported."""
    pruning = _Pruning(plan)
    return pruning.resolve, pruning.imports


class _Pruning:
    def __init__(self, plan: Plan) -> None:
        self._all = plan.target.resolve
        world = self._all.worlds[plan.target.world]
        self._called = {
            (found.key, found.function.name)
            for found in plan.imports.values()
            if isinstance(found, Call)
        }
        self._dropped = {
            found.key
            for found in plan.imports.values()
            if isinstance(found, Intrinsic) and not found.exported
        }
        self._live = LiveTypes(self._all)
        self._add_imports(plan)
        self._add_exports(world.exports)
        interfaces = {
            item.id: self._used_part(item.id, world.imports)
            for item in world.imports.values()
            if isinstance(item, InterfaceItem)
        }
        kept = (interfaces.get(InterfaceId(i), old) for i, old in enumerate(self._all.interfaces))
        self.resolve = self._all._replace(interfaces=tuple(kept))
        self.imports = {
            key: item for key, item in world.imports.items() if self._is_used(key, item)
        }

    def _add_imports(self, plan: Plan) -> None:
        for found in plan.imports.values():
            if isinstance(found, Call):
                self._live.add_function(found.function)
            elif not found.exported:
                self._live.add([found.resource])
        for item in self._all.worlds[plan.target.world].imports.values():
            if isinstance(item, TypeItem):
                self._live.add([item.id])

    def _add_exports(self, exports: WorldItems) -> None:
        for item in exports.values():
            if isinstance(item, FunctionItem):
                self._live.add_function(item.function)
            elif isinstance(item, InterfaceItem):
                # What an exported interface uses of another comes from that one's export, if any.
                owned = of_interface(self._all, item.id).owned()
                self._live.add(
                    id_ for owner, id_ in owned if owner != item.id and owner not in exports
                )

    def _used_part(self, id_: InterfaceId, imports: WorldItems) -> Interface:
        interface = self._all.interfaces[id_]
        keys = [k for k, i in imports.items() if isinstance(i, InterfaceItem) and i.id == id_]
        types = {name: type_ for name, type_ in interface.types.items() if type_ in self._live}
        functions = {
            name: function
            for name, function in interface.functions.items()
            if any((key, name) in self._called for key in keys)
        }
        return interface._replace(types=types, functions=functions)

    def _is_used(self, key: WorldKey, item: WorldItem) -> bool:
        if isinstance(item, FunctionItem):
            return (None, item.function.name) in self._called
        if isinstance(item, TypeItem) or key in self._dropped:
            return True
        interface = self.resolve.interfaces[item.id]
        if any((key, name) in self._called for name in interface.functions):
            return True
        # Types that others use are those of the interface that goes by its own name.
        return bool(interface.types) and not isinstance(key, str)
