"""The small component that gives an exported interface's types their names.

Lifted functions mention types that have no names yet. An instance that exports
both must come from a component of its own, which imports the functions, and
exports them as functions of the types that it exports beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from wasmtime_attestation_bindgen.component_new.live import of_interface
from wasmtime_attestation_bindgen.component_new.sections import Sections
from wasmtime_attestation_bindgen.component_type.names import extern_name
from wasmtime_attestation_bindgen.component_type.scope import Declaration, Sort
from wasmtime_attestation_bindgen.component_type.types import Types
from wasmtime_attestation_bindgen.kinds import Resource, TypeId
from wasmtime_attestation_bindgen.model import Function, InterfaceId, Resolve

_TYPE_SORT = b"\3"


def _function_argument(place: int) -> str:
    """Returns the name under which a function is imported, by its place in the interface."""
    return f"import-func-f{place}"


class Retyping:
    """The component of one interface.

    Args:
        resolve: the model.
        interface: the interface.
        outer: the index of a type in the component around this one.
    """

    def __init__(
        self, resolve: Resolve, interface: InterfaceId, outer: Callable[[TypeId], int]
    ) -> None:
        self._resolve = resolve
        self._interface = interface
        self._sections = Sections()
        self._imported = _ImportedTypes(self._sections)
        self._inner: dict[InterfaceId, Types] = {}
        self._types: list[tuple[str, int]] = []
        for owner, id_ in of_interface(resolve, interface).owned():
            self._types_of(owner).index(id_)
            self._types.append((self._imported.last, outer(id_)))

    def encode(self) -> bytes:
        """Returns the component."""
        interface = self._resolve.interfaces[self._interface]
        functions = list(interface.functions.values())
        own = self._types_of(self._interface)
        for place, function in enumerate(functions):
            name = extern_name(_function_argument(place))
            self._sections.name(Declaration.IMPORT, name, Sort.FUNCTION, own.function(function))
        exported = Types(
            self._resolve, self._sections, Declaration.EXPORT, self._interface, self._used
        )
        self._export_types(exported)
        for place, function in enumerate(functions):
            self._export_function(exported, place, function)
        return self._sections.finish()

    def arguments(self, functions: Sequence[int]) -> list[tuple[str, bytes, int]]:
        """Returns what it imports: names, sorts, and indices in the component around it.

        Args:
            functions: the indices of the interface's functions there, in order.
        """
        types = [(name, _TYPE_SORT, index) for name, index in self._types]
        return types + [
            (_function_argument(place), Sort.FUNCTION.value, index)
            for place, index in enumerate(functions)
        ]

    def _types_of(self, owner: InterfaceId) -> Types:
        if owner not in self._inner:
            self._inner[owner] = Types(
                self._resolve, self._imported, Declaration.IMPORT, owner, self._used
            )
        return self._inner[owner]

    def _used(self, owner: InterfaceId, name: str) -> int:
        return self._types_of(owner).index(self._resolve.interfaces[owner].types[name])

    def _export_types(self, exported: Types) -> None:
        own = self._types_of(self._interface)
        # Each after those that it mentions, which is not always the order of the text.
        for id_ in sorted(self._resolve.interfaces[self._interface].types.values()):
            definition = self._resolve.types[id_]
            if isinstance(definition.kind, Resource):
                name = extern_name(str(definition.name), external_id=definition.external_id)
                index = self._sections.name_type(Declaration.EXPORT, name, own.index(id_))
                exported.bind(id_, index)
            else:
                exported.index(id_)

    def _export_function(self, exported: Types, place: int, function: Function) -> None:
        name = extern_name(function.name, external_id=function.external_id)
        self._sections.export(name, Sort.FUNCTION, place, exported.function(function))


class _ImportedTypes:
    """Types whose names are numbers: those of different interfaces may have the same name."""

    def __init__(self, sections: Sections) -> None:
        self._sections = sections
        self._count = 0

    @property
    def last(self) -> str:
        """The name of the type that was imported last."""
        return f"import-type-t{self._count - 1}"

    def define(self, type_: bytes) -> int:
        return self._sections.define(type_)

    def alias_export(self, instance: int, name: str) -> int:
        return self._sections.alias_export(instance, name)

    def name_type(self, way: Declaration, _: bytes, index: int) -> int:
        self._count += 1
        return self._sections.name_type(way, extern_name(self.last), index)

    def name_resource(self, way: Declaration, _: bytes) -> int:
        self._count += 1
        return self._sections.name_resource(way, extern_name(self.last))

    def name(self, way: Declaration, name: bytes, sort: Sort, index: int) -> None:
        self._sections.name(way, name, sort, index)
