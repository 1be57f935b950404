"""From a guest's bytes to machine code, with everything checked that needs no run."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from wasmtime import Engine, FuncType, Module, WasmtimeError

from wasmtime_attestation.cache.sealed_memory import SealedMemory
from wasmtime_attestation.world.compilation import Settings, compiled, engine_of
from wasmtime_attestation.world.failures import StartError, printable
from wasmtime_attestation.world.guest import Abi, Guest

if TYPE_CHECKING:
    from wasmtime.component import Component

    from wasmtime_attestation.world.signatures import Item

CORE_ENTRY = "_start"
"""What WASI preview 1 calls the entry of a command."""
_RUN = "()->result<_,_>"
_COMPONENT_ENTRY = re.compile(r"wasi:cli/run@0\.2\.([0-9]+)")


T = TypeVar("T", "Component", Module)


@dataclass(frozen=True, slots=True)
class Program:
    """A guest, compiled.

    Attributes:
        name: the guest's name.
        abi: the guest's ABI.
        code: machine code for any engine of `new_engine`. Nothing checks it when
            it is loaded, so it must come from this process, or have been authenticated.
        entry: the export that starts it: a function, or for a component an
            instance with the function `run`.
    """

    name: str
    abi: Abi
    code: SealedMemory = field(repr=False)
    entry: str

    def component(self, engine: Engine) -> Component:
        """Loads the code of a component into an engine of `new_engine`."""
        from wasmtime.component import Component  # core modules need none of it

        return _loaded(Component, engine, self.code)

    def module(self, engine: Engine) -> Module:
        """Loads the code of a core module into an engine of `new_engine`."""
        return _loaded(Module, engine, self.code)


def new_engine(*, fuel: bool = False) -> Engine:
    """Returns an engine whose guests can be stopped: see `stopping`.

    Args:
        fuel: whether its guests use up fuel, which makes them slower.
    """
    return engine_of(engine_settings(fuel=fuel))


def engine_settings(*, fuel: bool) -> Settings:
    """Returns what `new_engine` chooses, on which machine code depends."""
    return {"epoch_interruption": True, "consume_fuel": fuel}


def compile_guest(engine: Engine, guest: Guest, *, fuel: bool = False) -> Program:
    """Compiles a guest, in bounded time and memory: see `compilation`.

    Args:
        engine: one of `new_engine`.
        guest: what to compile.
        fuel: whether that engine's guests use up fuel.

    Raises:
        StartError: it is not valid WebAssembly, imports something of this
            package that this host does not have, or has no entry.
    """
    try:
        if guest.abi is Abi.COMPONENT:
            return _component(engine, guest, engine_settings(fuel=fuel))
        return _core_module(engine, guest, engine_settings(fuel=fuel))
    except WasmtimeError as error:
        raise StartError(
            f"{guest.name} cannot be compiled, so it is damaged or uses what this host lacks: "
            f"{printable(str(error))}"
        ) from error


def _component(engine: Engine, guest: Guest, settings: Settings) -> Program:
    # Core modules, and guests that were compiled before, are not held against types.
    from wasmtime.component import Component

    from wasmtime_attestation.world.signatures import SignatureError, check_imports

    component = compiled(Component, engine, settings, guest.wasm)
    try:
        check_imports(engine, component)
        exports = component.type.exports(engine).items()
        entry = next((name for name, item in exports if is_command(engine, name, item)), None)
    except SignatureError as error:
        raise StartError(
            f"{guest.name} was built for another host: {printable(str(error))}; "
            "build it again with this version's bindings, or use a newer host"
        ) from error
    if entry is None:
        raise StartError(
            f"{guest.name} is a library: it does not export `wasi:cli/run@0.2.x`, so nothing says "
            "what to run; build it as a command, or call its exports from a program of your own"
        )
    return Program(guest.name, guest.abi, SealedMemory([component.serialize()]), entry)


def _core_module(engine: Engine, guest: Guest, settings: Settings) -> Program:
    module = compiled(Module, engine, settings, guest.wasm)
    types = [export.type for export in module.exports if export.name == CORE_ENTRY]
    if not any(isinstance(type_, FuncType) and takes_nothing(type_) for type_ in types):
        raise StartError(
            f"{guest.name} is a library: it does not export the function `{CORE_ENTRY}`, so "
            "nothing says what to run; build it as a command (of WASI preview 1)"
        )
    return Program(guest.name, guest.abi, SealedMemory([module.serialize()]), CORE_ENTRY)


def is_command(engine: Engine, name: str, item: Item) -> bool:
    """Whether an export of a component is `wasi:cli/run` of WASI 0.2."""
    if _COMPONENT_ENTRY.fullmatch(name) is None:
        return False
    from wasmtime_attestation.world.signatures import fits, functions

    run = functions(engine, name, item).get("run")
    return run is not None and fits(run, _RUN)


def takes_nothing(function: FuncType) -> bool:
    """Whether a core function has the type of `_start`."""
    return not function.params and not function.results


def _loaded(kind: type[T], engine: Engine, code: SealedMemory) -> T:
    if code.path is not None:
        # wasmtime maps a file, and copies bytes, twice: 2 and 170 ms for the code of CPython.
        with suppress(WasmtimeError):  # where there is no /proc, it cannot be opened
            return kind.deserialize_file(engine, str(code.path))
    return kind.deserialize(engine, code.bytes())
