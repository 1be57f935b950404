"""The module that links: what is printed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from wasmtime_attestation_bindgen.host import text
from wasmtime_attestation_bindgen.host.identifiers import Claims
from wasmtime_attestation_bindgen.host.naming import Naming
from wasmtime_attestation_bindgen.host.shapes import Shapes, screaming_class
from wasmtime_attestation_bindgen.host.types import has_protocol
from wasmtime_attestation_bindgen.kinds import Resource, TypeId
from wasmtime_attestation_bindgen.model import Function
from wasmtime_attestation_bindgen.names import screaming
from wasmtime_attestation_bindgen.surface import ROOT, Instance


class Linked(NamedTuple):
    """An interface as `link_imports` defines it.

    Attributes:
        name: the instance; empty for the world's own functions.
        entry: its functions, as an item of `IMPORTS`.
        functions: items of a dictionary from functions to what they call.
        resources: items of a dictionary from resources to what drops them.
    """

    name: str
    entry: str
    functions: tuple[str, ...]
    resources: tuple[str, ...]


class Imports:
    """Writes what `link_imports` does.

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
        self._module = module
        self.interfaces = tuple(map(self._linked, naming.surface.imports))

    def parameters(self) -> Iterator[tuple[str, str]]:
        """Yields the parameters, each as its name and annotation."""
        for instance in self._naming.surface.imports:
            if has_protocol(self._naming, instance):
                class_ = self._naming.interfaces[instance.module]
                yield self._naming.parameters[instance.module], f"{self._module}.{class_}"

    def _linked(self, instance: Instance) -> Linked:
        resources = tuple(self._drops(instance))
        functions, constants = [], []
        for function in instance.functions:
            constant = function_constant(self._naming, self._claims, instance, function)
            self._shapes.function(function, constant, frozenset())
            constants.append(constant)
            functions.append(f"{constant}: {self._implementation(instance, function)}")
        name = "" if instance.module == ROOT else instance.module
        members = ", ".join(constants) + ("," if len(constants) == 1 else "")
        entry = (
            text.call(4, f'"{name}": (', constants, ")")
            if len(constants) != 1
            else (f'"{name}": ({members})')
        )
        return Linked(name, entry, tuple(functions), resources)

    def _implementation(self, instance: Instance, function: Function) -> str:
        callee = self._naming.callee(function)
        if callee.resource is None:
            return f"{self._naming.parameters[instance.module]}.{callee.name}"
        return f"lambda this, *arguments: this.{callee.name}(*arguments)"

    def _drops(self, instance: Instance) -> Iterator[str]:
        parameter = self._naming.parameters[instance.module]
        for id_ in self._naming.own_types(instance):
            if isinstance(self._naming.typedef(id_).kind, Resource):
                constant = self._shapes.resource(id_, is_guest=False)
                yield f"{constant}: {parameter}.{self._naming.drop(id_)}"


def function_constant(
    naming: Naming, claims: Claims, instance: Instance, function: Function
) -> str:
    """Returns a new name for the constant of a function."""
    name = screaming(function.name.rpartition("]")[2].replace(".", "-"))
    if function.name.startswith("[constructor]"):
        name = f"NEW_{name}"
    interface = screaming_class(naming.interfaces[instance.module])
    return claims.claim(f"_{name}", f"_{interface}_{name}")


def guest_resources(naming: Naming) -> frozenset[TypeId]:
    """Returns the resources that the guest implements."""
    return frozenset(
        id_
        for instance in naming.surface.exports
        for id_ in naming.own_types(instance)
        if isinstance(naming.typedef(id_).kind, Resource)
    )
