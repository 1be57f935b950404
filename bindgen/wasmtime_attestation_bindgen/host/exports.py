"""The classes through which a host calls what a guest exports."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from wasmtime_attestation_bindgen.host import text
from wasmtime_attestation_bindgen.host.annotations import Annotations
from wasmtime_attestation_bindgen.host.codecs import function_constant, guest_resources
from wasmtime_attestation_bindgen.host.identifiers import Claims, attribute
from wasmtime_attestation_bindgen.host.naming import Naming
from wasmtime_attestation_bindgen.host.shapes import Shapes
from wasmtime_attestation_bindgen.kinds import TypeId
from wasmtime_attestation_bindgen.model import Function
from wasmtime_attestation_bindgen.surface import ROOT, Instance


class Method(NamedTuple):
    """A method: its signature, its docstring and its body."""

    signature: str
    docs: str
    body: str


class Export(NamedTuple):
    """A class; `attributes` are lines at its beginning."""

    name: str
    base: str
    docs: str
    attributes: tuple[str, ...]
    methods: tuple[Method, ...]


class Exports:
    """Writes the classes.

    Args:
        naming: what everything is called.
        shapes: where the constants go.
        claims: the names of the module.
        module: what the module of types is called.
    """

    def __init__(self, naming: Naming, shapes: Shapes, claims: Claims, module: str) -> None:
        self._naming = naming
        self._shapes = shapes
        self._claims = claims
        self._guests = guest_resources(naming)
        self._handles = {id_: claims.claim(naming.types[id_]) for id_ in self._guests_in_order()}
        self._annotations = Annotations(naming, f"{module}.", self._handles)
        self.classes = tuple(self._classes())

    def _guests_in_order(self) -> Iterator[TypeId]:
        return (id_ for id_ in self._naming.types if id_ in self._guests)

    def _classes(self) -> Iterator[Export]:
        for instance in self._naming.surface.exports:
            if instance.functions:
                functions = [(f, self._constant(instance, f)) for f in instance.functions]
                own = [id_ for id_ in self._naming.own_types(instance) if id_ in self._guests]
                for id_ in own:
                    yield self._handle(id_, functions)
                yield self._interface(instance, own, functions)

    def _constant(self, instance: Instance, function: Function) -> str:
        constant = function_constant(self._naming, self._claims, instance, function)
        self._shapes.function(function, constant, self._guests)
        return constant

    def _handle(self, id_: TypeId, functions: list[tuple[Function, str]]) -> Export:
        definition = self._naming.typedef(id_)
        docs = text.docstring(definition.docs, 4, f"A `{definition.name}` of a guest.")
        methods = [
            self._method(function, constant, ["self", "self"])
            for function, constant in functions
            if self._naming.callee(function).resource == id_
        ]
        return Export(self._handles[id_], "Handle", docs, (), tuple(methods))

    def _interface(
        self, instance: Instance, own: list[TypeId], functions: list[tuple[Function, str]]
    ) -> Export:
        methods = [
            self._method(function, constant, ["self"])
            for function, constant in functions
            if self._naming.callee(function).resource is None
        ]
        interface = "" if instance.module == ROOT else instance.module
        what = f"`{interface}`" if interface else f"the world `{self._naming.surface.world.name}`"
        docs = text.docstring(None, 4, f"Calls what a guest exports as {what}.")
        attributes = [f'_interface = "{interface}"']
        if own:
            pairs = [
                f"{self._shapes.resource(id_, is_guest=True)}: {self._handles[id_]}" for id_ in own
            ]
            attributes.append(text.call(4, "_handles: ClassVar[HandleClasses] = {", pairs, "}"))
        name = self._naming.interfaces[instance.module]
        return Export(
            self._claims.claim(name, f"{name}Exports"),
            "GuestExports",
            docs,
            tuple(attributes),
            tuple(methods),
        )

    def _method(self, function: Function, constant: str, before: list[str]) -> Method:
        callee = self._naming.callee(function)
        params = function.params if callee.resource is None else function.params[1:]
        # The method's body calls `invoke`.
        names = ["invoke_" if p.name == "invoke" else attribute(p.name) for p in params]
        annotated = [
            f"{name}: {self._annotations.of(param.type)}"
            for name, param in zip(names, params, strict=True)
        ]
        returned = self._annotations.returned(function)
        head, tail = f"def {callee.name}(", f") -> {returned}:"
        verb = "" if returned == "None" else "return "
        body = text.call(8, f"{verb}invoke(", [before[0], constant, *before[1:], *names], ")")
        docs = text.docstring(function.docs, 8, f"`{function.name}`.")
        return Method(text.call(4, head, ["self", *annotated], tail), docs, body)
