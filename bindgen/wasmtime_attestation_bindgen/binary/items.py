"""Imports and exports of a scope to items of the syntax tree."""

from __future__ import annotations

from typing import TypeAlias

from wasmtime_attestation_bindgen import syntax
from wasmtime_attestation_bindgen.binary.names import ExternName, Names, function_name
from wasmtime_attestation_bindgen.binary.reader import Reader
from wasmtime_attestation_bindgen.binary.types import Local, Signature, Unnamed, Used
from wasmtime_attestation_bindgen.model import Form
from wasmtime_attestation_bindgen.syntax import Direction, Docs, NamedType, Renamed

Item: TypeAlias = syntax.TypeDef | syntax.Use | syntax.Function | syntax.Extern


class Items:
    """Gathers what stands in an interface or a world.

    Args:
        reader: for errors.
        names: what makes names.
    """

    def __init__(self, reader: Reader, names: Names) -> None:
        self._reader = reader
        self._names = names
        self._items: list[Item] = []
        self._functions: dict[str, list[syntax.Function]] = {}

    def finish(self) -> tuple[Item, ...]:
        """Returns the items in order, resources with their functions."""
        return tuple(map(self._finished, self._items))

    def _finished(self, item: Item) -> Item:
        if isinstance(item, syntax.TypeDef) and isinstance(item.body, syntax.Resource):
            functions = self._functions[item.name.text]
            return item._replace(body=syntax.Resource(tuple(functions)))
        return item

    def add_resource(self, extern: ExternName) -> Local:
        """Adds a resource, and returns it as a type.

        Raises:
            WitError: its name is not legal.
        """
        self._functions[extern.text] = []
        return self._define(extern, syntax.Resource(()))

    def add_type(self, extern: ExternName, is_: Unnamed | Local | Used) -> Local:
        """Adds a name for a type, and returns it as a type.

        Raises:
            WitError: the name is not legal.
        """
        if isinstance(is_, Unnamed):
            return self._define(extern, is_.body)
        if isinstance(is_, Local):
            return self._define(extern, NamedType(is_.name))
        name = self._names.name(self._reader, extern.text)
        self._items.append(syntax.Use(is_.path, (Renamed(is_.name, name),), extern.attributes))
        return Local(name)

    def _define(self, extern: ExternName, body: syntax.TypeBody) -> Local:
        name = self._names.name(self._reader, extern.text)
        self._items.append(syntax.TypeDef(name, body, Docs(), extern.attributes))
        return Local(name)

    def add_function(
        self, extern: ExternName, signature: Signature, direction: Direction | None
    ) -> None:
        """Adds a function; a world's has a direction.

        Raises:
            WitError: its name is not legal, or does not go with its type.
        """
        parts = function_name(extern.text)
        function = self._function(extern, signature, parts.form, parts.name)
        if parts.resource is not None:
            if parts.resource not in self._functions:
                raise self._reader.error(f"{extern.text!r} belongs to no resource")
            self._functions[parts.resource].append(function)
        elif direction is None:
            self._items.append(function)
        else:
            self._items.append(syntax.Extern(direction, function, Docs(), extern.attributes))

    def _function(
        self, extern: ExternName, signature: Signature, form: Form, name: str
    ) -> syntax.Function:
        params, result = signature.params, signature.result
        if form is Form.METHOD:
            if not params or params[0][0].text != "self":
                raise self._reader.error(f"{extern.text!r} is a method without `self`")
            params = params[1:]
        if form is Form.CONSTRUCTOR and isinstance(result, syntax.HandleType):
            result = None
        return syntax.Function(
            name=self._names.name(self._reader, name),
            form=form,
            is_async=signature.is_async,
            params=params,
            result=result,
            span=self._names.span,
            docs=Docs(),
            attributes=extern.attributes,
        )

    def add_interface(
        self,
        extern: ExternName,
        items: tuple[syntax.InterfaceItem, ...],
        direction: Direction,
    ) -> syntax.Path | None:
        """Adds an interface, and returns the path of the one that it is, if it is none of its own.

        Raises:
            WitError: its name is not legal.
        """
        what = self._interface(extern, items)
        self._items.append(syntax.Extern(direction, what, Docs(), extern.attributes))
        return what.path if isinstance(what, syntax.Named) else None

    def _interface(
        self, extern: ExternName, items: tuple[syntax.InterfaceItem, ...]
    ) -> syntax.Inline | syntax.Named:
        path = self._names.path(self._reader, extern.text)
        if path is not None:
            return syntax.Named(None, path)
        name = self._names.name(self._reader, extern.text)
        if extern.implements is None:
            return syntax.Inline(name, items)
        implemented = self._names.path(self._reader, extern.implements)
        if implemented is None:
            raise self._reader.error(f"{extern.implements!r} is not the name of an interface")
        return syntax.Named(name, implemented)
