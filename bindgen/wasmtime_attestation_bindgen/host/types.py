"""The module of types: what is printed, item by item."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, takewhile
from typing import NamedTuple

from wasmtime_attestation_bindgen.host import text
from wasmtime_attestation_bindgen.host.annotations import Annotations
from wasmtime_attestation_bindgen.host.identifiers import attribute
from wasmtime_attestation_bindgen.host.naming import Naming
from wasmtime_attestation_bindgen.kinds import (
    Enum,
    Field,
    Flags,
    Kind,
    Option,
    Primitive,
    Record,
    Resource,
    Type,
    TypeId,
    Variant,
    references,
)
from wasmtime_attestation_bindgen.model import Function
from wasmtime_attestation_bindgen.names import screaming
from wasmtime_attestation_bindgen.surface import Instance


class Member(NamedTuple):
    """A line in a class: an enum's member, a field or a method's signature."""

    name: str
    value: str
    docs: str


class Item(NamedTuple):
    """A class or an alias; `form` is `enum`, `dataclass`, `alias` or `protocol`."""

    form: str
    name: str
    docs: str
    base: str = ""
    members: tuple[Member, ...] = ()

    @property
    def head(self) -> str:
        """The line, or lines, that a class begins with."""
        return text.call(0, f"class {self.name}(", self.base.split(", "), "):")


class Types:
    """Writes the module's items.

    Args:
        naming: what everything is called.
    """

    def __init__(self, naming: Naming) -> None:
        self._naming = naming
        self._annotations = Annotations(naming)
        self._made = _made_by_hosts(naming)

    def items(self) -> Iterator[Item]:
        """Yields the classes in the order of the WIT, each interface after its types."""
        imports = self._naming.surface.imports
        done: set[TypeId] = set()
        for instance in self._naming.instances():
            for id_ in self._naming.own_types(instance):
                if id_ not in done:
                    done.add(id_)
                    yield from self._type(id_, instance)
            is_imported = any(instance is other for other in imports)  # an export may be equal
            if is_imported and has_protocol(self._naming, instance):
                yield self._interface(instance)
        yield from self._world()

    def _type(self, id_: TypeId, instance: Instance) -> Iterator[Item]:
        name, definition = self._naming.types[id_], self._naming.typedef(id_)
        docs = text.docstring(definition.docs, 4, f"`{definition.name}`.")
        match definition.kind:
            case Record(fields):
                defaults = 0 if id_ in self._made else self._trailing_options(fields)
                members = tuple(
                    Member(
                        attribute(field.name),
                        self._annotations.of(field.type)
                        + (" = None" if index >= len(fields) - defaults else ""),
                        _inner(field.docs),
                    )
                    for index, field in enumerate(fields)
                )
                yield Item("dataclass", name, docs, members=members)
            case Enum(labels):
                members = tuple(
                    Member(screaming(label.name), f'"{label.name}"', _inner(label.docs))
                    for label in labels
                )
                yield Item("enum", name, docs, "StrEnum", members)
            case Flags(labels):
                members = tuple(
                    Member(screaming(label.name), str(1 << bit), _inner(label.docs))
                    for bit, label in enumerate(labels)
                )
                yield Item("enum", name, docs, "Flag", members)
            case Variant():
                yield from self._variant(id_, definition.kind)
            case Resource():
                methods = tuple(
                    self._method(function)
                    for function in instance.functions
                    if self._naming.callee(function).resource == id_
                )
                yield Item("protocol", name, docs, "Protocol", methods)
            case _:
                raise TypeError(f"no class stands for {type(definition.kind).__name__}")

    def _trailing_options(self, fields: Sequence[Field]) -> int:
        """Returns how many fields a host that only reads a record need not name.

        Not so where it makes them: type checking is to tell it of new fields.
        """
        kinds = [self._kind(field.type) for field in fields]
        return len(list(takewhile(lambda kind: isinstance(kind, Option), reversed(kinds))))

    def _kind(self, type_: Type) -> Kind | None:
        found = self._naming.definition(type_)
        return None if isinstance(found, Primitive) else self._naming.typedef(found).kind

    def _variant(self, id_: TypeId, kind: Variant) -> Iterator[Item]:
        name, definition = self._naming.types[id_], self._naming.typedef(id_)
        classes = self._naming.cases[id_]
        for class_, case in zip(classes, kind.cases, strict=True):
            members = [Member("case", f'ClassVar[str] = "{case.name}"', "")]
            if case.type is not None:
                members.append(Member("value", self._annotations.of(case.type), ""))
            otherwise = f"The case `{case.name}` of `{definition.name}`."
            docs = text.docstring(case.docs, 4, otherwise)
            yield Item("dataclass", class_, docs, members=tuple(members))
        alias = text.union(f"{name}: TypeAlias", classes)
        yield Item("alias", alias, text.docstring(definition.docs, 0, f"`{definition.name}`."))

    def _interface(self, instance: Instance) -> Item:
        methods = [
            self._method(function)
            for function in instance.functions
            if self._naming.callee(function).resource is None
        ]
        methods += [
            self._drop(id_)
            for id_ in self._naming.own_types(instance)
            if isinstance(self._naming.typedef(id_).kind, Resource)
        ]
        name = self._naming.interfaces[instance.module]
        is_world = instance.id is None
        what = "The world's own functions." if is_world else f"The interface `{instance.module}`."
        docs = text.docstring(instance.docs, 4, what)
        return Item("protocol", name, docs, "Protocol", tuple(methods))

    def _method(self, function: Function) -> Member:
        callee = self._naming.callee(function)
        params = function.params[1:] if callee.resource is not None else function.params
        arguments = [
            "self",
            *(f"{attribute(p.name)}: {self._annotations.of(p.type)}" for p in params),
        ]
        head, tail = f"def {callee.name}(", f") -> {self._annotations.returned(function)}:"
        docs = text.docstring(function.docs, 8, f"`{function.name}`.")
        return Member(text.call(4, head, arguments, tail), "", docs)

    def _drop(self, resource: TypeId) -> Member:
        name = self._naming.types[resource]
        head = f"def {self._naming.drop(resource)}("
        docs = f'"""Ends a `{self._naming.typedef(resource).name}`, which the guest dropped."""'
        return Member(text.call(4, head, ["self", f"dropped: {name}"], ") -> None:"), "", docs)

    def _world(self) -> Iterator[Item]:
        """Yields the whole world as one class, unless two interfaces share a method's name."""
        instances = [
            instance
            for instance in self._naming.surface.imports
            if has_protocol(self._naming, instance)
        ]
        methods = [name for instance in instances for name in self._methods(instance)]
        if instances and len(set(methods)) == len(methods):
            bases = [self._naming.interfaces[instance.module] for instance in instances]
            docs = '"""Everything that a guest of this world may call, in one object."""'
            yield Item("protocol", "World", docs, ", ".join([*bases, "Protocol"]))

    def _methods(self, instance: Instance) -> Iterator[str]:
        callees = map(self._naming.callee, instance.functions)
        own = (callee.name for callee in callees if callee.resource is None)
        drops = (
            self._naming.drop(id_)
            for id_ in self._naming.own_types(instance)
            if isinstance(self._naming.typedef(id_).kind, Resource)
        )
        return chain(own, drops)


def has_protocol(naming: Naming, instance: Instance) -> bool:
    """Whether a host implements anything of an interface."""
    resources = (
        id_ for id_ in naming.own_types(instance) if isinstance(naming.typedef(id_).kind, Resource)
    )
    return bool(instance.functions) or any(True for _ in resources)


def _made_by_hosts(naming: Naming) -> frozenset[TypeId]:
    """Returns the types that an import returns or an export takes, and what they are made of."""
    waiting = [
        *(f.result for i in naming.surface.imports for f in i.functions if f.result is not None),
        *(p.type for i in naming.surface.exports for f in i.functions for p in f.params),
    ]
    made: set[TypeId] = set()
    while waiting:
        found = naming.definition(waiting.pop())
        if not isinstance(found, Primitive) and found not in made:
            made.add(found)
            waiting += references(naming.typedef(found).kind)
    return frozenset(made)


def _inner(docs: str | None) -> str:
    return text.docstring(docs, 4) if docs else ""
