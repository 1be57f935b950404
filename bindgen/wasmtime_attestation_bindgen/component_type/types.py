"""The types of one scope: each is defined once, before what mentions it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from wasmtime_attestation_bindgen.component_type.definitions import (
    PRIMITIVES,
    Definitions,
)
from wasmtime_attestation_bindgen.component_type.names import extern_name
from wasmtime_attestation_bindgen.component_type.scope import Declaration, TypeScope
from wasmtime_attestation_bindgen.kinds import (
    Alias,
    Kind,
    Primitive,
    Resource,
    Type,
    TypeId,
)
from wasmtime_attestation_bindgen.model import (
    Function,
    InterfaceId,
    InterfaceRef,
    Param,
    Resolve,
    TypeDef,
)

UsedType: TypeAlias = Callable[[InterfaceId, str], int]
_Signature: TypeAlias = tuple[bool, tuple[Param, ...], Type | None]


class Types:
    """Defines types in a scope as they are asked for.

    Args:
        resolve: the model.
        scope: where to define them.
        way: whether the scope imports or exports the types that have names.
        interface: the interface that the scope stands for, if it is one.
        used: the index in the scope of a type that another interface defines.
    """

    def __init__(
        self,
        resolve: Resolve,
        scope: TypeScope,
        way: Declaration,
        interface: InterfaceId | None,
        used: UsedType,
    ) -> None:
        self._resolve = resolve
        self._scope = scope
        self._way = way
        self._interface = interface
        self._used = used
        self._definitions = Definitions(self.index)
        self._indices: dict[TypeId, int] = {}
        self._unnamed: dict[Kind, int] = {}
        self._signatures: dict[_Signature, int] = {}

    def index(self, id_: TypeId) -> int:
        """Returns the index of a type, which is defined first if need be."""
        if id_ not in self._indices:
            self._indices[id_] = self._add(self._resolve.types[id_])
        return self._indices[id_]

    def bind(self, id_: TypeId, index: int) -> None:
        """Makes an index that of a type, which is defined there already."""
        self._indices[id_] = index

    def function(self, function: Function) -> int:
        """Returns the index of a function's type, which is defined first if need be."""
        signature = (function.kind.is_async, function.params, function.result)
        if signature not in self._signatures:
            self._signatures[signature] = self._scope.define(self._definitions.function(function))
        return self._signatures[signature]

    def _add(self, definition: TypeDef) -> int:
        name, kind = definition.name, definition.kind
        if name is None:
            return self._add_unnamed(kind)
        match definition.owner:
            case InterfaceRef(interface) if interface != self._interface:
                return self._used(interface, name)
        extern = extern_name(name, external_id=definition.external_id)
        if isinstance(kind, Resource):
            return self._scope.name_resource(self._way, extern)
        return self._scope.name_type(self._way, extern, self._define(kind))

    def _add_unnamed(self, kind: Kind) -> int:
        if kind not in self._unnamed:
            self._unnamed[kind] = self._define(kind)
        return self._unnamed[kind]

    def _define(self, kind: Kind) -> int:
        match kind:
            case Alias(Primitive() as primitive):
                return self._scope.define(PRIMITIVES[primitive])
            case Alias(id_) if not isinstance(id_, Primitive):
                return self.index(id_)
            case _:
                return self._scope.define(self._definitions.value(kind))
