"""A core module's instance in its component."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from wasmtime_attestation_bindgen.component_new.demands import Demands
from wasmtime_attestation_bindgen.component_new.exported import ExportedTypes
from wasmtime_attestation_bindgen.component_new.imported import Imported
from wasmtime_attestation_bindgen.component_new.module import CoreFunction, CoreModule
from wasmtime_attestation_bindgen.component_new.naming import Operation
from wasmtime_attestation_bindgen.component_new.plan import Call, CoreImport, Plan
from wasmtime_attestation_bindgen.component_new.sections import (
    CanonicalOption,
    CoreSort,
    Sections,
)
from wasmtime_attestation_bindgen.component_new.shims import INITIALIZE, TABLE, fix_up, shim
from wasmtime_attestation_bindgen.component_type.values import u32

_INTRINSICS = {Operation.NEW: b"\2", Operation.DROP: b"\3", Operation.REP: b"\4"}
_DESTRUCTOR: CoreFunction = (("i32",), ())


@dataclass(frozen=True, slots=True)
class _Late:
    """What the module can call only once its instance is there.

    Attributes:
        type: its core type.
        stub: the core function that stands in for it.
    """

    type: CoreFunction
    stub: int


class CoreInstance:
    """Adds a module and its instance to a component, at once.

    Args:
        module: the module.
        plan: what becomes of its imports and exports.
        sections: the component.
        imported: what the component imports.
        exported: the types that it exports; their resources are defined here.
    """

    def __init__(
        self,
        module: CoreModule,
        plan: Plan,
        sections: Sections,
        imported: Imported,
        exported: ExportedTypes,
    ) -> None:
        self._plan = plan
        self._sections = sections
        self._imported = imported
        self._exported = exported
        self._aliases: dict[tuple[CoreSort, str], int] = {}
        main = sections.core_module(module.data)
        self._late = self._add_stubs()
        self._define_resources()
        self._instance = sections.instantiate_core(main, list(self._arguments()))
        self._fix_up()

    def function(self, name: str) -> int:
        """Returns the index of a function that the module exports."""
        return self._alias(CoreSort.FUNCTION, name)

    def options(self, demands: Demands, post_return: str | None = None) -> list[bytes]:
        """Returns how values pass to and from the module."""
        plan, options = self._plan, []
        if demands.strings:
            options.append(u32(plan.target.string_encoding))
        if demands.memory and plan.memory is not None:
            memory = self._alias(CoreSort.MEMORY, plan.memory)
            options.append(CanonicalOption.MEMORY.value + u32(memory))
        if demands.realloc and plan.realloc is not None:
            options.append(CanonicalOption.REALLOC.value + u32(self.function(plan.realloc)))
        if post_return is not None:
            options.append(CanonicalOption.POST_RETURN.value + u32(self.function(post_return)))
        return options

    def _alias(self, sort: CoreSort, name: str) -> int:
        if (sort, name) not in self._aliases:
            self._aliases[sort, name] = self._sections.alias_core(self._instance, sort, name)
        return self._aliases[sort, name]

    def _add_stubs(self) -> dict[Call | str, _Late]:
        """Returns imported functions, and names of exported destructors, that must wait."""
        types: dict[Call | str, CoreFunction] = dict.fromkeys(
            self._plan.destructors.values(), _DESTRUCTOR
        )
        for found in self._plan.imports.values():
            if isinstance(found, Call) and not found.demands.none:
                types[found] = found.type
        if not types:
            return {}
        module = self._sections.core_module(shim(list(types.values())))
        self._stubs = self._sections.instantiate_core(module, [])
        return {
            what: _Late(type_, self._sections.alias_core(self._stubs, CoreSort.FUNCTION, str(n)))
            for n, (what, type_) in enumerate(types.items())
        }

    def _define_resources(self) -> None:
        for key, resource in self._plan.resources:
            destructor = self._plan.destructors.get((key, resource))
            stub = None if destructor is None else self._late[destructor].stub
            self._exported.define_resource(key, resource, stub)

    def _arguments(self) -> Iterator[tuple[str, int]]:
        """Yields the module's imports: modules, and core instances that stand for them."""
        modules: dict[str, list[tuple[str, CoreSort, int]]] = {}
        for (module, name), found in self._plan.imports.items():
            given = modules.setdefault(module, [])
            given.append((name, CoreSort.FUNCTION, self._import(found)))
        for module, given in modules.items():
            yield module, self._sections.core_bundle(given)

    def _import(self, found: CoreImport) -> int:
        if isinstance(found, Call):
            return self._late[found].stub if found in self._late else self._lower(found)
        if found.exported and found.key is not None:
            resource = self._exported.resource(found.key, found.resource)
        else:
            resource = self._imported.resource(found)
        return self._sections.intrinsic(_INTRINSICS[found.operation], resource)

    def _lower(self, call: Call) -> int:
        function = self._imported.function(call)
        return self._sections.lower(function, self.options(call.demands))

    def _real(self, what: Call | str) -> int:
        return self.function(what) if isinstance(what, str) else self._lower(what)

    def _fix_up(self) -> None:
        """Fills in for the stubs, and runs what must run first."""
        initialize = self._plan.initialize
        if not self._late and initialize is None:
            return
        types = [late.type for late in self._late.values()]
        module = self._sections.core_module(fix_up(types, initialize=initialize is not None))
        given = [(str(n), CoreSort.FUNCTION, self._real(what)) for n, what in enumerate(self._late)]
        if initialize is not None:
            given.append((INITIALIZE, CoreSort.FUNCTION, self.function(initialize)))
        if self._late:
            table = self._sections.alias_core(self._stubs, CoreSort.TABLE, TABLE)
            given.append((TABLE, CoreSort.TABLE, table))
        self._sections.instantiate_core(module, [("", self._sections.core_bundle(given))])
