"""From a draft's indices to those of the model."""

from __future__ import annotations

from typing import TypeVar

from wasmtime_attestation_bindgen import kinds
from wasmtime_attestation_bindgen.errors import WitError
from wasmtime_attestation_bindgen.kinds import Kind, Primitive, Type, TypeId
from wasmtime_attestation_bindgen.link.graph import Graph
from wasmtime_attestation_bindgen.model import (
    Function,
    InterfaceId,
    InterfaceRef,
    Owner,
    TypeDef,
    WorldId,
    WorldRef,
)
from wasmtime_attestation_bindgen.source import Span

Id = TypeVar("Id", TypeId, InterfaceId, WorldId)


class Remap:
    """What a draft's indices have become; None for items whose feature is not active.

    Args:
        graph: where the indices lead.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._own: dict[TypeId, TypeId] = {}
        self.types: list[TypeId | None] = []
        self.interfaces: list[InterfaceId | None] = []
        self.worlds: list[WorldId | None] = []

    def type(self, id_: TypeId, span: Span | None) -> TypeId:
        """Returns what a type has become.

        Raises:
            WitError: its feature is not active.
        """
        return _active(self.types[id_], "type", span)

    def interface(self, id_: InterfaceId, span: Span | None) -> InterfaceId:
        """Returns what an interface has become.

        Raises:
            WitError: its feature is not active.
        """
        return _active(self.interfaces[id_], "interface", span)

    def world(self, id_: WorldId, span: Span | None) -> WorldId:
        """Returns what a world has become.

        Raises:
            WitError: its feature is not active.
        """
        return _active(self.worlds[id_], "world", span)

    def owner(self, owner: Owner, span: Span | None) -> Owner:
        """Returns what a type's owner has become.

        Raises:
            WitError: its feature is not active, which is the type's fault.
        """
        match owner:
            case InterfaceRef(id_) if self.interfaces[id_] is None:
                raise _ungated("interface", span)
            case InterfaceRef(id_):
                return InterfaceRef(self.interface(id_, span))
            case WorldRef(world) if self.worlds[world] is None:
                raise _ungated("world", span)
            case WorldRef(world):
                return WorldRef(self.world(world, span))
            case None:
                return None

    def kind(self, kind: Kind, span: Span | None) -> Kind:
        """Returns what a kind has become.

        Raises:
            WitError: it mentions a type whose feature is not active.
        """
        return kinds.rewrite(
            kind, lambda type_: self.value(type_, span), lambda id_: self.type(id_, span)
        )

    def value(self, type_: Type, span: Span | None) -> Type:
        """Returns what a type that stands for a value has become; a resource's name means `own`.

        Raises:
            WitError: its feature is not active.
        """
        if isinstance(type_, Primitive):
            return type_
        id_ = self.type(type_, span)
        if not self._graph.is_resource(id_):
            return id_
        if id_ not in self._own:
            self._own[id_] = self._graph.add_type(TypeDef(None, kinds.Own(id_)))
        return self._own[id_]

    def function(self, function: Function) -> Function:
        """Returns what a function has become.

        Raises:
            WitError: it mentions a type whose feature is not active, or
                returns a borrowed handle.
        """
        span, kind = function.span, function.kind
        if kind.resource is not None:
            kind = kind._replace(resource=self.type(kind.resource, span))
        params = tuple(p._replace(type=self.value(p.type, span)) for p in function.params)
        result = None if function.result is None else self.value(function.result, span)
        if result is not None and self._graph.has_borrow(result):
            raise WitError(
                f"the function `{function.name}` returns a borrowed handle",
                span,
                help="a result can hold `own` handles only",
            )
        return function._replace(kind=kind, params=params, result=result)


def _active(id_: Id | None, what: str, span: Span | None) -> Id:
    if id_ is None:
        raise WitError(
            f"this refers to a {what} whose feature is not active",
            span,
            help="give this the same `@unstable` gate, or activate the feature",
        )
    return id_


def _ungated(what: str, span: Span | None) -> WitError:
    return WitError(
        f"the feature of the {what} around this type is not active, but the type has no gate",
        span,
        help=f"give the type the same `@unstable` gate as the {what}",
    )
