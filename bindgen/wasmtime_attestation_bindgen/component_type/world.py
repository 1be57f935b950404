"""A world as the type of a component."""

from __future__ import annotations

from wasmtime_attestation_bindgen.component_type.names import extern_name, item_name
from wasmtime_attestation_bindgen.component_type.scope import Declaration, Scope, ScopeForm, Sort
from wasmtime_attestation_bindgen.component_type.types import Types
from wasmtime_attestation_bindgen.model import (
    Function,
    Interface,
    InterfaceId,
    InterfaceItem,
    Resolve,
    TypeItem,
    World,
    WorldItems,
)


def encode_world(resolve: Resolve, world: World) -> bytes:
    """Returns the type of the components that a world describes."""
    encoder = _WorldEncoder(resolve)
    encoder.add(Declaration.IMPORT, world.imports)
    encoder.add(Declaration.EXPORT, world.exports)
    return encoder.scope.encode()


class _WorldEncoder:
    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self.scope = Scope(ScopeForm.COMPONENT)
        # A world's own types are imports, whatever mentions them.
        self._types = Types(resolve, self.scope, Declaration.IMPORT, None, self._used)
        self._instances: dict[InterfaceId, int] = {}
        self._instance_count = 0
        self._used_types: dict[tuple[InterfaceId, str], int] = {}

    def add(self, way: Declaration, items: WorldItems) -> None:
        """Declares what a world imports or exports."""
        for key, item in items.items():
            if isinstance(item, TypeItem):
                self._types.index(item.id)
                continue
            name = item_name(self._resolve, key, item)
            if isinstance(item, InterfaceItem):
                self.scope.name(way, name, Sort.INSTANCE, self._instance(item.id))
            else:
                self.scope.name(way, name, Sort.FUNCTION, self._types.function(item.function))

    def _instance(self, id_: InterfaceId) -> int:
        """Returns the index of an interface's type, and counts the instance that it is for."""
        index = self.scope.define(self._interface(id_))
        self._instances[id_] = self._instance_count
        self._instance_count += 1
        return index

    def _interface(self, id_: InterfaceId) -> bytes:
        interface = self._resolve.interfaces[id_]
        scope = Scope(ScopeForm.INSTANCE)

        def used(owner: InterfaceId, name: str) -> int:
            return scope.alias_outer(self._used(owner, name))

        types = Types(self._resolve, scope, Declaration.EXPORT, id_, used)
        for type_ in interface.types.values():
            types.index(type_)
        for function in _functions(interface):
            name = extern_name(function.name, external_id=function.external_id)
            scope.name(Declaration.EXPORT, name, Sort.FUNCTION, types.function(function))
        return scope.encode()

    def _used(self, owner: InterfaceId, name: str) -> int:
        """Returns the index of an interface's type outside of that interface."""
        key = owner, name
        # As wit-component has it: the first stays, even if the interface is exported later.
        if key not in self._used_types:
            self._used_types[key] = self.scope.alias_export(self._instances[owner], name)
        return self._used_types[key]


def _functions(interface: Interface) -> list[Function]:
    """Returns an interface's functions, those of resources first, in the resources' order."""
    places = {id_: place for place, id_ in enumerate(interface.types.values())}

    def place(function: Function) -> int:
        resource = function.kind.resource
        return len(places) if resource is None else places[resource]

    return sorted(interface.functions.values(), key=place)
