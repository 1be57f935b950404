"""The component around a core module."""

from __future__ import annotations

from wasmtime_attestation_bindgen.component_new.core_instance import CoreInstance
from wasmtime_attestation_bindgen.component_new.exported import ExportedTypes
from wasmtime_attestation_bindgen.component_new.imported import Imported
from wasmtime_attestation_bindgen.component_new.module import CoreModule
from wasmtime_attestation_bindgen.component_new.plan import Implementation, Plan
from wasmtime_attestation_bindgen.component_new.retyping import Retyping
from wasmtime_attestation_bindgen.component_new.sections import Sections
from wasmtime_attestation_bindgen.component_type.names import item_name
from wasmtime_attestation_bindgen.component_type.scope import Sort
from wasmtime_attestation_bindgen.component_type.types import Types
from wasmtime_attestation_bindgen.model import FunctionItem, InterfaceItem, WorldKey


def wrap(module: CoreModule, plan: Plan) -> bytes:
    """Returns the component around a module.

    Args:
        module: the module.
        plan: what becomes of its imports and exports.
    """
    component = _Component(module, plan)
    component.add_exports()
    return component.sections.finish()


class _Component:
    def __init__(self, module: CoreModule, plan: Plan) -> None:
        self._plan = plan
        self._resolve = plan.target.resolve
        self.sections = Sections()
        self._imported = Imported(plan, self.sections)
        self._exported = ExportedTypes(self._resolve, self.sections, self._imported.type)
        self._core = CoreInstance(module, plan, self.sections, self._imported, self._exported)

    def add_exports(self) -> None:
        """Exports what the world exports."""
        for key, item in self._resolve.worlds[self._plan.target.world].exports.items():
            if isinstance(item, InterfaceItem):
                self._export_interface(key, item)
            elif isinstance(item, FunctionItem):
                self._export_function(key, item)

    def _export_function(self, key: WorldKey, item: FunctionItem) -> None:
        own = self._plan.exports[None]
        implementation = next(each for each in own if each.function == item.function)
        lifted = self._lift(implementation, self._imported.own_types)
        self.sections.export(item_name(self._resolve, key, item), Sort.FUNCTION, lifted)

    def _export_interface(self, key: WorldKey, item: InterfaceItem) -> None:
        types = self._exported.of(key, item.id)
        functions = [self._lift(each, types) for each in self._plan.exports.get(key, [])]
        retyping = Retyping(self._resolve, item.id, types.index)
        component = self.sections.component(retyping.encode())
        instance = self.sections.instantiate(component, retyping.arguments(functions))
        name = item_name(self._resolve, key, item)
        exported = self.sections.export(name, Sort.INSTANCE, instance)
        if not isinstance(key, str):
            self._exported.exported(item.id, exported)

    def _lift(self, implementation: Implementation, types: Types) -> int:
        core = self._core.function(implementation.export)
        options = self._core.options(implementation.demands, implementation.post_return)
        return self.sections.lift(core, options, types.function(implementation.function))
