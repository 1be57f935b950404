"""A module's imports and exports against its world: each has its place, or is refused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from wasmtime_attestation_bindgen.component_new.demands import Contents, Demands
from wasmtime_attestation_bindgen.component_new.embedded import Target
from wasmtime_attestation_bindgen.component_new.module import CoreFunction, CoreModule
from wasmtime_attestation_bindgen.component_new.naming import LEGACY, SCHEMES, Operation, Scheme
from wasmtime_attestation_bindgen.component_new.plan import (
    Call,
    CoreImport,
    Implementation,
    Intrinsic,
    Plan,
)
from wasmtime_attestation_bindgen.errors import ModuleError
from wasmtime_attestation_bindgen.kinds import Resource, TypeId
from wasmtime_attestation_bindgen.layout import CoreSignature, Layout
from wasmtime_attestation_bindgen.model import (
    Function,
    FunctionItem,
    InterfaceItem,
    TypeItem,
    WorldItems,
    WorldKey,
)

_WASI = ("wasi_snapshot_preview1", "wasi_unstable")
_LEGACY_ABI = "wasmtime_attestation"
_INTRINSICS: dict[Operation, CoreFunction] = {
    Operation.NEW: (("i32",), ("i32",)),
    Operation.REP: (("i32",), ("i32",)),
    Operation.DROP: (("i32",), ()),
}
_REALLOC: CoreFunction = (("i32",) * 4, ("i32",))
_INITIALIZE: CoreFunction = ((), ())
_DESTRUCTOR: CoreFunction = (("i32",), ())


def match(module: CoreModule, target: Target) -> Plan:
    """Returns what becomes of everything that a module imports and exports.

    Exports that the world does not know are left alone.

    Raises:
        ModuleError: the module imports what its world does not import, lacks
            what its world exports, or has a function of another type.
    """
    return _Matcher(module, target).run()


class _Matcher:
    def __init__(self, module: CoreModule, target: Target) -> None:
        self._module = module
        self._target = target
        self._layout = Layout(target.resolve)
        self._contents = Contents(target.resolve)
        self._plan = Plan(target)

    def run(self) -> Plan:
        world = self._target.resolve.worlds[self._target.world]
        self._fixed_exports()
        self._imports(world.imports, world.exports)
        self._exports(world.exports)
        self._check_demands()
        return self._plan

    def _fixed_exports(self) -> None:
        plan = self._plan
        memories = (scheme.memory for scheme in SCHEMES)
        plan.memory = next((name for name in memories if name in self._module.memories), None)
        plan.realloc = self._first((scheme.realloc for scheme in SCHEMES), _REALLOC)
        plan.initialize = self._first((scheme.initialize for scheme in SCHEMES), _INITIALIZE)

    def _first(self, names: Iterable[str], expected: CoreFunction) -> str | None:
        """Returns the first of some names that a function has, whose type must be right."""
        for name in names:
            if name in self._module.functions:
                _check_type(f"`{name}`", self._module.functions[name], expected)
                return name
        return None

    def _imports(self, imports: WorldItems, exports: WorldItems) -> None:
        known = dict(self._known_imports(imports, exports))
        for (module, name), type_ in self._module.imports.items():
            if (module, name) not in known:
                raise self._unknown_import(module, name)
            found = known[module, name]
            expected = found.type if isinstance(found, Call) else _INTRINSICS[found.operation]
            _check_type(f"the import `{name}` from `{module}`", type_, expected)
            self._plan.imports[module, name] = found

    def _known_imports(
        self, imports: WorldItems, exports: WorldItems
    ) -> Iterator[tuple[tuple[str, str], CoreImport]]:
        resolve = self._target.resolve
        for scheme in SCHEMES:
            for key, function in self._functions(imports):
                module = scheme.import_module(resolve, key)
                yield (module, function.name), self._call(key, function)
            for key, id_, name in self._resources(imports):
                module = scheme.import_module(resolve, key)
                drop = Intrinsic(Operation.DROP, key, id_, exported=False)
                yield (module, scheme.intrinsic[Operation.DROP].format(name)), drop
            for key, id_, name in self._resources(exports):
                if key is None:
                    continue
                for operation in Operation:
                    module = scheme.intrinsics_module(resolve, key)
                    intrinsic = Intrinsic(operation, key, id_, exported=True)
                    yield (module, scheme.intrinsic[operation].format(name)), intrinsic

    def _call(self, key: WorldKey | None, function: Function) -> Call:
        signature = self._layout.lowered(function)
        demands = self._contents.of_import(function, signature)
        return Call(key, function, _core(signature), demands)

    def _functions(self, items: WorldItems) -> Iterator[tuple[WorldKey | None, Function]]:
        for key, item in items.items():
            if isinstance(item, FunctionItem):
                yield None, item.function
            elif isinstance(item, InterfaceItem):
                for function in self._target.resolve.interfaces[item.id].functions.values():
                    yield key, function

    def _resources(self, items: WorldItems) -> Iterator[tuple[WorldKey | None, TypeId, str]]:
        for key, item in items.items():
            if isinstance(item, TypeItem) and self._is_resource(item.id):
                yield None, item.id, str(key)
            elif isinstance(item, InterfaceItem):
                for name, id_ in self._target.resolve.interfaces[item.id].types.items():
                    if self._is_resource(id_):
                        yield key, id_, name

    def _is_resource(self, id_: TypeId) -> bool:
        return isinstance(self._target.resolve.types[id_].kind, Resource)

    def _unknown_import(self, module: str, name: str) -> ModuleError:
        if module in _WASI:
            return ModuleError(
                f"the module imports WASI preview 1: `{name}` from `{module}`",
                help="build it for a target without WASI, such as wasm32-unknown-unknown, or for "
                "wasm32-wasip2; or give it an adapter: `wasm-tools component new --adapt …`, "
                "`jco new`",
            )
        if module == _LEGACY_ABI:
            return ModuleError(
                f"the module imports `{name}` from `{module}`: it uses the legacy ABI",
                help="run it as it is, or build it without the feature `legacy`",
            )
        world = self._target.resolve.worlds[self._target.world].name
        return ModuleError(
            f"the module imports `{name}` from `{module}`, and its world `{world}` imports no such "
            "function",
            help="add it to the world and generate the bindings again, or leave the call out",
        )

    def _exports(self, exports: WorldItems) -> None:
        resolve = self._target.resolve
        missing: list[str] = []
        for key, function in self._functions(exports):
            found = self._implementation(key, function)
            if found is None:
                missing.append(LEGACY.export_name(resolve, key, function.name))
            else:
                self._plan.exports.setdefault(key, []).append(found)
        if missing:
            names = ", ".join(f"`{name}`" for name in missing)
            raise ModuleError(
                f"the module does not export {names}, which its world exports",
                help="implement every function that the world exports",
            )
        for key, resource, name in self._resources(exports):
            if key is None:
                continue
            self._plan.resources.append((key, resource))
            destructor = self._first(
                (scheme.destructor_name(resolve, key, name) for scheme in SCHEMES), _DESTRUCTOR
            )
            if destructor is not None:
                self._plan.destructors[key, resource] = destructor

    def _implementation(self, key: WorldKey | None, function: Function) -> Implementation | None:
        for scheme in SCHEMES:
            export = scheme.export_name(self._target.resolve, key, function.name)
            if export in self._module.functions:
                return self._implemented(scheme, export, function)
        return None

    def _implemented(self, scheme: Scheme, export: str, function: Function) -> Implementation:
        signature = self._layout.lifted(function)
        core = _core(signature)
        _check_type(f"the export `{export}`", self._module.functions[export], core)
        post_return = self._first((scheme.post_return.format(export),), (core[1], ()))
        demands = self._contents.of_export(function, signature)
        return Implementation(function, export, post_return, demands)

    def _check_demands(self) -> None:
        for found in self._plan.imports.values():
            if isinstance(found, Call):
                self._check_demand(found.function.name, found.demands)
        for implementations in self._plan.exports.values():
            for implementation in implementations:
                self._check_demand(implementation.function.name, implementation.demands)

    def _check_demand(self, name: str, demands: Demands) -> None:
        if demands.memory and self._plan.memory is None:
            raise ModuleError(
                f"the module exports no memory `{LEGACY.memory}`, which `{name}` needs",
                help="let the linker export it",
            )
        if demands.realloc and self._plan.realloc is None:
            raise ModuleError(
                f"the module exports no function `{LEGACY.realloc}`, which `{name}` needs to "
                "put values into memory",
                help="link the generated bindings, which define it, and let the linker export it",
            )


def _core(signature: CoreSignature) -> CoreFunction:
    return tuple(map(str, signature.params)), tuple(map(str, signature.results))


def _check_type(what: str, found: CoreFunction, expected: CoreFunction) -> None:
    if found != expected:
        raise ModuleError(
            f"{what} has the core type {_spelled(found)}, its world says {_spelled(expected)}",
            help="generate the bindings again from the WIT that the module was built with",
        )


def _spelled(type_: CoreFunction) -> str:
    params, results = (" ".join(types) for types in type_)
    return f"({params}) -> ({results})"
