"""What everything of a world is called in Python."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from wasmtime_attestation_bindgen.host.identifiers import Claims, attribute, class_name
from wasmtime_attestation_bindgen.kinds import (
    Alias,
    Enum,
    Flags,
    Primitive,
    Record,
    Resource,
    Type,
    TypeId,
    Variant,
)
from wasmtime_attestation_bindgen.model import Form, Function, Resolve, TypeDef
from wasmtime_attestation_bindgen.names import pascal
from wasmtime_attestation_bindgen.surface import ROOT, Instance, Surface

_IMPORTED = (
    *("ClassVar", "Err", "Flag", "Generic", "Ok", "PACKAGE", "Protocol", "Some", "StrEnum", "T"),
    *("TypeAlias", "TypeVar", "VERSION", "World", "dataclass", "E"),
)
_HANDLE = frozenset({"address", "drop", "exports", "forget"})  # methods that every handle has
_DROP = "[resource-drop]"
_PARAMETERS = ("fast", "link", "linker", "otherwise")


class Callee(NamedTuple):
    """Who implements a function in Python, and what it is called there.

    Attributes:
        resource: the resource whose method it is; None for the interface's own.
        name: the method.
    """

    resource: TypeId | None
    name: str


class Naming:
    """The names of a world's types, interfaces and functions.

    Args:
        resolve: the model.
        surface: the world's two sides.
    """

    def __init__(self, resolve: Resolve, surface: Surface) -> None:
        self._resolve = resolve
        self.surface = surface
        self.types: dict[TypeId, str] = {}
        """The classes of named types that are no aliases, in the order of the WIT."""
        self.cases: dict[TypeId, tuple[str, ...]] = {}
        """The classes of a variant's cases."""
        self.interfaces: dict[str, str] = {}
        """The classes of instances, by the instances' names."""
        self.parameters: dict[str, str] = {}
        """The parameters of `link_imports` for instances, by the instances' names."""
        self.wrappers: set[str] = set()
        """The generic classes that annotations mention."""
        self._methods: dict[tuple[TypeId, str], str] = {}
        self._name_all(Claims(*_IMPORTED), Claims(*_PARAMETERS))

    def definition(self, type_: Type) -> Primitive | TypeId:
        """Returns what a type is, once aliases are followed."""
        while not isinstance(type_, Primitive):
            kind = self._resolve.types[type_].kind
            if not isinstance(kind, Alias):
                return type_
            type_ = kind.type
        return type_

    def typedef(self, id_: TypeId) -> TypeDef:
        """Returns a type's definition."""
        return self._resolve.types[id_]

    def instances(self) -> Iterator[Instance]:
        """Yields every interface once, even if the world imports and exports it."""
        seen = set()
        for instance in (*self.surface.imports, *self.surface.exports):
            if instance.id not in seen or instance.id is None:
                seen.add(instance.id)
                yield instance

    def own_types(self, instance: Instance) -> list[TypeId]:
        """Returns the types that an instance defines and Python has classes for."""
        return [
            id_
            for id_ in instance.types.values()
            if isinstance(self.typedef(id_).kind, Record | Variant | Enum | Flags | Resource)
        ]

    def callee(self, function: Function) -> Callee:
        """Returns the method that implements a function.

        Methods belong to the resource; constructors and static functions, to the
        interface that makes resources.
        """
        resource = function.kind.resource
        if resource is None:
            return Callee(None, attribute(function.name))
        if function.kind.form is not Form.METHOD:
            return Callee(None, self._methods[resource, function.name])
        last = function.name.rpartition(".")[2]
        return Callee(resource, f"{last}_" if last in _HANDLE else attribute(last))

    def drop(self, resource: TypeId) -> str:
        """Returns the method that is told when a guest drops a resource."""
        return self._methods[resource, _DROP]

    def _name_all(self, classes: Claims, parameters: Claims) -> None:
        for instance in self.instances():
            for id_ in self.own_types(instance):
                name = class_name(str(self.typedef(id_).name))
                prefix = self._prefix(instance)
                if id_ not in self.types:
                    self.types[id_] = classes.claim(name, prefix + name)
        for instance in self.instances():
            self._name_instance(instance, classes, parameters)
            self._name_methods(instance)
        for id_, name in self.types.items():
            kind = self.typedef(id_).kind
            if isinstance(kind, Variant):
                self.cases[id_] = tuple(
                    classes.claim(name + pascal(case.name)) for case in kind.cases
                )

    def _name_methods(self, instance: Instance) -> None:
        """Names what stands for functions of resources, beside the interface's own functions."""
        own = (f for f in instance.functions if f.kind.resource is None)
        claims = Claims(*(attribute(function.name) for function in own))
        for function in instance.functions:
            resource = function.kind.resource
            if resource is not None and function.kind.form is not Form.METHOD:
                name, last = self.typedef(resource).name, function.name.rpartition(".")[2]
                new = function.kind.form is Form.CONSTRUCTOR
                called = attribute(f"new-{name}" if new else f"{name}-{last}")
                self._methods[resource, function.name] = claims.claim(called)
        for id_ in self.own_types(instance):
            if isinstance(self.typedef(id_).kind, Resource):
                called = attribute(f"drop-{self.typedef(id_).name}")
                self._methods[id_, _DROP] = claims.claim(called)

    def _name_instance(self, instance: Instance, classes: Claims, parameters: Claims) -> None:
        if instance.module in self.interfaces:
            return
        plain = self._plain(instance)
        package = self._package(instance)
        candidates = (pascal(plain), pascal(package) + pascal(plain))
        self.interfaces[instance.module] = classes.claim(*candidates)
        self.parameters[instance.module] = parameters.claim(
            attribute(plain), attribute(f"{package}-{plain}" if package else plain)
        )

    def _prefix(self, instance: Instance) -> str:
        return pascal(self._plain(instance))

    def _plain(self, instance: Instance) -> str:
        if instance.module == ROOT:
            return self.surface.world.name
        return instance.module.partition("@")[0].rpartition("/")[2]

    def _package(self, instance: Instance) -> str:
        return (
            instance.module.partition("/")[0].rpartition(":")[2] if ":" in instance.module else ""
        )
