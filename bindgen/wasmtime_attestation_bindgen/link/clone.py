"""Copies of what a world defines itself, for the worlds that include it."""

from __future__ import annotations

from wasmtime_attestation_bindgen import kinds
from wasmtime_attestation_bindgen.kinds import Kind, Primitive, Type, TypeId
from wasmtime_attestation_bindgen.link.graph import Graph
from wasmtime_attestation_bindgen.model import (
    Function,
    FunctionItem,
    InterfaceId,
    InterfaceItem,
    InterfaceRef,
    PackageId,
    TypeDef,
    TypeItem,
    WorldItem,
    WorldRef,
)


class Cloner:
    """Copies types, functions and inline interfaces from one owner to another.

    Args:
        graph: where all of them stand.
        source: whose items are copied.
        target: who gets the copies.
        package: the target's package.
    """

    def __init__(
        self,
        graph: Graph,
        source: InterfaceRef | WorldRef,
        target: InterfaceRef | WorldRef,
        package: PackageId,
    ) -> None:
        self._graph = graph
        self._source = source
        self._target = target
        self._package = package
        self._types: dict[TypeId, TypeId] = {}

    def item(self, item: WorldItem) -> WorldItem:
        """Returns a copy of what a world names itself.

        Raises:
            WitError: there are too many types.
        """
        match item:
            case TypeItem(id_):
                return TypeItem(self.type_id(id_))
            case FunctionItem(function):
                return FunctionItem(self._function(function))
            case InterfaceItem(id_) if self._graph.interfaces[id_].name is None:
                return item._replace(id=self._interface(id_))
            case InterfaceItem():
                return item

    def type_id(self, id_: TypeId) -> TypeId:
        """Returns the copy of a type, or the type itself where another owner defines it.

        Raises:
            WitError: there are too many types.
        """
        definition = self._graph.types[id_]
        if definition.owner not in (None, self._source):
            return id_
        if id_ not in self._types:
            self._types[id_] = self._graph.add_type(self._definition(definition))
        return self._types[id_]

    def _definition(self, definition: TypeDef) -> TypeDef:
        owner = None if definition.owner is None else self._target
        return definition._replace(owner=owner, kind=self._kind(definition.kind))

    def _kind(self, kind: Kind) -> Kind:
        return kinds.rewrite(kind, self._value, self.type_id)

    def _value(self, type_: Type) -> Type:
        return type_ if isinstance(type_, Primitive) else self.type_id(type_)

    def _function(self, function: Function) -> Function:
        kind = function.kind
        if kind.resource is not None:
            kind = kind._replace(resource=self.type_id(kind.resource))
        params = tuple(p._replace(type=self._value(p.type)) for p in function.params)
        result = None if function.result is None else self._value(function.result)
        return function._replace(kind=kind, params=params, result=result)

    def _interface(self, id_: InterfaceId) -> InterfaceId:
        interface = self._graph.interfaces[id_]
        target = InterfaceRef(InterfaceId(len(self._graph.interfaces)))
        inner = Cloner(self._graph, InterfaceRef(id_), target, self._package)
        return self._graph.add_interface(
            interface._replace(
                types={name: inner.type_id(type_) for name, type_ in interface.types.items()},
                functions={
                    name: inner._function(function)
                    for name, function in interface.functions.items()
                },
                package=self._package,
            )
        )
