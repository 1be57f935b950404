"""A world as the type of a component."""

from __future__ import annotations

from wasmtime_attestation_bindgen.component_type.names import extern_name, item_name, qualified
from wasmtime_attestation_bindgen.component_type.scope import (
    Declaration,
    Scope,
    ScopeForm,
    Sort,
    TypeScope,
)
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
    scope = Scope(ScopeForm.COMPONENT)
    encoder = WorldEncoder(resolve, scope)
    encoder.add(Declaration.IMPORT, world.imports)
    encoder.add(Declaration.EXPORT, world.exports)
    return scope.encode()


class WorldEncoder:
    """Declares a world's items in a component or its type.

    Args:
        resolve: the model.
        scope: where to declare them; nothing else may have declared instances there.

    Attributes:
        types: the world's own types, which are imports, whatever mentions them.
    """

    def __init__(self, resolve: Resolve, scope: TypeScope) -> None:
        self._resolve = resolve
        self._scope = scope
        self.types = Types(resolve, scope, Declaration.IMPORT, None, self.used)
        self._instances: dict[InterfaceId, int] = {}
        self._instance_count = 0
        self._used_types: dict[tuple[InterfaceId, str], int] = {}

    def add(self, way: Declaration, items: WorldItems) -> None:
        """Declares what a world imports or exports; interfaces come after those they use."""
        for key, item in items.items():
            if isinstance(item, TypeItem):
                self.types.index(item.id)
                continue
            name = item_name(self._resolve, key, item)
            if isinstance(item, InterfaceItem):
                self._scope.name(way, name, Sort.INSTANCE, self._instance(item.id))
            else:
                self._scope.name(way, name, Sort.FUNCTION, self.types.function(item.function))

    def import_types(self, id_: InterfaceId) -> None:
        """Imports an interface with its types and without its functions."""
        interface = self._resolve.interfaces[id_]
        name = qualified(self._resolve, interface.package, str(interface.name))
        index = self._instance(id_, types_only=True)
        self._scope.name(Declaration.IMPORT, extern_name(name), Sort.INSTANCE, index)

    def _instance(self, id_: InterfaceId, *, types_only: bool = False) -> int:
        """Returns the index of an interface's type, and counts the instance that it is for."""
        index = self._scope.define(self._interface(id_, types_only=types_only))
        self._instances[id_] = self._instance_count
        self._instance_count += 1
        return index

    def _interface(self, id_: InterfaceId, *, types_only: bool) -> bytes:
        interface = self._resolve.interfaces[id_]
        scope = Scope(ScopeForm.INSTANCE)

        def used(owner: InterfaceId, name: str) -> int:
            return scope.alias_outer(self.used(owner, name))

        types = Types(self._resolve, scope, Declaration.EXPORT, id_, used)
        for type_ in interface.types.values():
            types.index(type_)
        for function in () if types_only else _functions(interface):
            name = extern_name(function.name, external_id=function.external_id)
            scope.name(Declaration.EXPORT, name, Sort.FUNCTION, types.function(function))
        return scope.encode()

    def used(self, owner: InterfaceId, name: str) -> int:
        """Returns the index of an interface's type outside of that interface."""
        key = owner, name
        # As wit-component has it: the first stays, even if the interface is exported later.
        if key not in self._used_types:
            self._used_types[key] = self._scope.alias_export(self._instances[owner], name)
        return self._used_types[key]


def _functions(interface: Interface) -> list[Function]:
    """Returns an interface's functions, those of resources first, in the resources' order."""
    places = {id_: place for place, id_ in enumerate(interface.types.values())}

    def place(function: Function) -> int:
        resource = function.kind.resource
        return len(places) if resource is None else places[resource]

    return sorted(interface.functions.values(), key=place)
