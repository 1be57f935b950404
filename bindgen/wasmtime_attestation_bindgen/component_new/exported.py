"""The types that exported functions mention, in the component that lifts them."""

from __future__ import annotations

from wasmtime_attestation_bindgen.component_new.sections import Sections
from wasmtime_attestation_bindgen.component_type.scope import Declaration, Sort
from wasmtime_attestation_bindgen.component_type.types import Types, UsedType
from wasmtime_attestation_bindgen.kinds import TypeId
from wasmtime_attestation_bindgen.model import InterfaceId, Resolve, WorldKey


class ExportedTypes:
    """Types of exported interfaces.

    Args:
        resolve: the model.
        sections: the component.
        imported: the index of a type of an imported interface.
    """

    def __init__(self, resolve: Resolve, sections: Sections, imported: UsedType) -> None:
        self._resolve = resolve
        self._sections = sections
        self._imported = imported
        self._resources: dict[tuple[WorldKey, TypeId], int] = {}
        self._instances: dict[InterfaceId, int] = {}
        self._aliases: dict[tuple[InterfaceId, str], int] = {}

    def define_resource(self, key: WorldKey, id_: TypeId, destructor: int | None) -> None:
        """Defines a resource; its destructor is a core function."""
        self._resources[key, id_] = self._sections.define_resource(destructor)

    def resource(self, key: WorldKey, id_: TypeId) -> int:
        """Returns the index of a resource."""
        return self._resources[key, id_]

    def of(self, key: WorldKey, interface: InterfaceId) -> Types:
        """Returns the types of an interface, which have no names yet."""
        scope = _Unnamed(self._sections)
        types = Types(self._resolve, scope, Declaration.EXPORT, interface, self._used)
        for (owner, id_), index in self._resources.items():
            if owner == key:
                types.bind(id_, index)
        return types

    def exported(self, interface: InterfaceId, instance: int) -> None:
        """Notes that an interface is exported; others that use its types mean these."""
        self._instances[interface] = instance

    def _used(self, owner: InterfaceId, name: str) -> int:
        if owner not in self._instances:
            return self._imported(owner, name)
        key = owner, name
        if key not in self._aliases:
            self._aliases[key] = self._sections.alias_export(self._instances[owner], name)
        return self._aliases[key]


class _Unnamed:
    """A component in which types get no names; only their structure counts there."""

    def __init__(self, sections: Sections) -> None:
        self._sections = sections

    def define(self, type_: bytes) -> int:
        return self._sections.define(type_)

    def alias_export(self, instance: int, name: str) -> int:
        return self._sections.alias_export(instance, name)

    def name_type(self, _way: Declaration, _name: bytes, index: int) -> int:
        return index

    def name_resource(self, _way: Declaration, _name: bytes) -> int:
        raise AssertionError("an exported resource is defined before it is mentioned")

    def name(self, way: Declaration, name: bytes, sort: Sort, index: int) -> None:
        self._sections.name(way, name, sort, index)
