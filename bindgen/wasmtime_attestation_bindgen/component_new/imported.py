"""What a component imports: as much of its world as its module uses."""

from __future__ import annotations

from wasmtime_attestation_bindgen.component_new.live import prune
from wasmtime_attestation_bindgen.component_new.plan import Call, Intrinsic, Plan
from wasmtime_attestation_bindgen.component_new.sections import Sections
from wasmtime_attestation_bindgen.component_type.scope import Declaration, Sort
from wasmtime_attestation_bindgen.component_type.types import Types
from wasmtime_attestation_bindgen.component_type.world import WorldEncoder
from wasmtime_attestation_bindgen.model import (
    FunctionItem,
    InterfaceId,
    InterfaceItem,
    WorldKey,
)


class Imported:
    """Imports what is used, at once.

    Args:
        plan: what is used.
        sections: the component, which is empty so far.
    """

    def __init__(self, plan: Plan, sections: Sections) -> None:
        self._resolve, imports = prune(plan)
        self._sections = sections
        self._world = WorldEncoder(self._resolve, sections)
        self._instances: dict[WorldKey, int] = {}
        self._functions: dict[tuple[WorldKey | None, str], int] = {}
        for key, item in imports.items():
            if isinstance(item, InterfaceItem):
                self._instances[key] = sections.count(Sort.INSTANCE)
            elif isinstance(item, FunctionItem):
                self._functions[None, item.function.name] = sections.count(Sort.FUNCTION)
            self._world.add(Declaration.IMPORT, {key: item})

    @property
    def own_types(self) -> Types:
        """The types that the world itself defines."""
        return self._world.types

    def type(self, owner: InterfaceId, name: str) -> int:
        """Returns the index of a type of an imported interface."""
        return self._world.used(owner, name)

    def function(self, call: Call) -> int:
        """Returns the index of an imported function."""
        which = call.key, call.function.name
        if which not in self._functions and call.key is not None:
            instance = self._instances[call.key]
            self._functions[which] = self._sections.alias_function(instance, call.function.name)
        return self._functions[which]

    def resource(self, intrinsic: Intrinsic) -> int:
        """Returns the index of an imported resource."""
        if intrinsic.key is None:
            return self.own_types.index(intrinsic.resource)
        name = str(self._resolve.types[intrinsic.resource].name)
        return self._sections.alias_export(self._instances[intrinsic.key], name)
