"""What a guest asks of its host, read from its imports and exports without running it.

The generations of guests that came before the WIT world are those of
`docs/legacy-abi.md`; a guest is of the first whose functions include its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from wasmtime import (
    Engine,
    ExportType,
    FuncType,
    Linker,
    MemoryType,
    Module,
    WasmtimeError,
    component,
)
from wasmtime.component import Component, ComponentInstanceType

from wasmtime_attestation import wit
from wasmtime_attestation.errors import InvalidArgumentError
from wasmtime_attestation.world.compilation import compiled, engine_of
from wasmtime_attestation.world.compiler import is_command, takes_nothing
from wasmtime_attestation.world.failures import printable
from wasmtime_attestation.world.guest import Abi, Guest
from wasmtime_attestation.world.legacy import IMPORT_MODULE, link_legacy
from wasmtime_attestation.world.signatures import SignatureError, check_imports

_FIRST = {"attest_vm", "attest_gpu", "verify_token", "clear_cache"}
_FIVE = _FIRST | {"detect_tee"}
GENERATIONS = (
    ("C++ C, C++ E or C++ main.cpp", {"detect_tee", "attest_vm", "attest_gpu"}),
    ("Rust A or C++ A", _FIRST),
    ("Rust B", _FIVE),
    ("wasmtime:attestation 0.1, legacy ABI", _FIVE | {"gpus", "attest", "verify"}),
)
CPP_B = "C++ B"
_CPP_B_ADVICE = (
    "this guest never ran anywhere: no host ever had the module wasmtime:attestation with "
    "return pointers; build it again with the current header, which imports wasmtime_attestation"
)
_UNLINKED_ADVICE = (
    "this is a core module that is meant to become a component: make one of it with "
    "`wasm-tools component new`, then run that"
)
_PAGE = 65536
_WASI_P1 = "wasi_snapshot_preview1"


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found in a guest.

    Attributes:
        guest: the guest.
        world: the functions of the world that it imports, by interface or module.
        wasi: the WASI interfaces or module that it imports.
        foreign: what it imports that this host does not offer.
        generation: which generation of core module it is; None for components.
        missing: the exports that a host needs and it lacks.
        warnings: what may go wrong, and what to do.
    """

    guest: Guest
    world: dict[str, list[str]]
    wasi: list[str]
    foreign: list[str]
    generation: str | None
    missing: list[str]
    warnings: list[str]


# Nothing will run: only the types are wanted.
_SETTINGS = {"cranelift_opt_level": "none"}


def inspect(guest: Guest) -> Inspection:
    """Looks at a guest.

    Raises:
        InvalidArgumentError: it is no valid WebAssembly.
    """
    engine = engine_of(_SETTINGS)
    try:
        if guest.abi is Abi.COMPONENT:
            return _component(guest, engine, compiled(Component, engine, _SETTINGS, guest.wasm))
        return _core(guest, engine, compiled(Module, engine, _SETTINGS, guest.wasm))
    except WasmtimeError as error:
        raise InvalidArgumentError(
            f"{guest.name} is no valid WebAssembly: {printable(str(error))}"
        ) from error


def _component(guest: Guest, engine: Engine, component: Component) -> Inspection:
    world: dict[str, list[str]] = {}
    wasi, foreign = [], []
    for name, item in component.type.imports(engine).items():
        if name.startswith(f"{wit.PACKAGE}/"):
            world[name] = _functions(engine, item.ty)
        elif name.startswith("wasi:"):
            wasi.append(name)
        else:
            foreign.append(name)
    exports = component.type.exports(engine).items()
    runs = any(is_command(engine, name, item) for name, item in exports)
    library = "a library component: `run` cannot start it, an embedder can"
    return Inspection(
        guest=guest,
        world=world,
        wasi=wasi,
        foreign=foreign,
        generation=None,
        missing=[] if runs else ["wasi:cli/run@0.2.x"],
        warnings=[*_mismatch(engine, component), *([] if runs else [library])],
    )


def _mismatch(engine: Engine, component: Component) -> Iterator[str]:
    try:
        check_imports(engine, component)
    except SignatureError as error:
        yield f"`run` refuses it: {error}"


def _functions(engine: Engine, instance: object) -> list[str]:
    if not isinstance(instance, ComponentInstanceType):
        return []
    exports = instance.exports(engine)
    return [name for name, export in exports.items() if isinstance(export.ty, component.FuncType)]


def _core(guest: Guest, engine: Engine, module: Module) -> Inspection:
    imports = [(item.module, item.name or "") for item in module.imports]
    functions = [name for source, name in imports if source == IMPORT_MODULE]
    ours = {IMPORT_MODULE, _WASI_P1}
    foreign = [f"{source}.{name}" for source, name in imports if source not in ours]
    exports = {export.name for export in module.exports if _is_as_expected(export)}
    return Inspection(
        guest=guest,
        world={IMPORT_MODULE: functions} if functions else {},
        wasi=[_WASI_P1] if any(source == _WASI_P1 for source, _ in imports) else [],
        foreign=foreign + [f"{IMPORT_MODULE}.{name}" for name in functions if not _known(name)],
        generation=_generation(set(functions), imports),
        missing=sorted({"memory", "_start", "cabi_realloc"} - exports),
        warnings=[*_warnings(module, imports, exports), *_unlinked(engine, module)],
    )


def _is_as_expected(export: ExportType) -> bool:
    """Whether an export that a host looks for is of the kind that it looks for."""
    match export.name:
        case "_start":
            return isinstance(export.type, FuncType) and takes_nothing(export.type)
        case "memory":
            return isinstance(export.type, MemoryType)
        case "cabi_realloc":
            return isinstance(export.type, FuncType)
        case _:
            return True


def _unlinked(engine: Engine, module: Module) -> Iterator[str]:
    """Links the module as `run` would, which calls nothing."""
    with Linker(engine) as linker:
        linker.define_wasi()
        # Nothing is called, so the class stands for a world.
        link_legacy(linker, cast("wit.World", wit.World))
        try:
            linker.instantiate_pre(module)
        except WasmtimeError as error:
            yield f"`run` refuses it: {printable(str(error))}"


def _known(function: str) -> bool:
    return function in GENERATIONS[-1][1]


def _generation(functions: set[str], imports: list[tuple[str, str]]) -> str | None:
    if any(source == wit.PACKAGE for source, _ in imports):
        return CPP_B
    if not functions:
        return None
    return next((name for name, offered in GENERATIONS if functions <= offered), None)


def _warnings(module: Module, imports: list[tuple[str, str]], exports: set[str]) -> Iterator[str]:
    if any(source == wit.PACKAGE for source, _ in imports):
        yield _CPP_B_ADVICE
    elif any(source.startswith(f"{wit.PACKAGE}/") for source, _ in imports):
        yield _UNLINKED_ADVICE
    if "memory" not in exports:
        yield "without an exported memory every answer is 0"
    if "cabi_realloc" not in exports:
        yield (
            "without cabi_realloc answers are placed in memory that the host grows, and each "
            "call overwrites the last answer"
        )
        yield from _tight_memory(module)


def _tight_memory(module: Module) -> Iterator[str]:
    for export in module.exports:
        if export.name == "memory" and isinstance(export.type, MemoryType):
            limits = export.type.limits
            if limits.max is not None and limits.max <= limits.min:
                yield (
                    f"its memory cannot grow beyond {limits.max * _PAGE} bytes, so every answer "
                    "is 0: export cabi_realloc or link with a larger maximum"
                )
