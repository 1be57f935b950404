"""From a guest's bytes to machine code, with everything checked that needs no run."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from wasmtime import Config, Engine, FuncType, Module, WasmtimeError
from wasmtime.component import Component

from wasmtime_attestation.world.failures import StartError, printable
from wasmtime_attestation.world.guest import Abi, Guest
from wasmtime_attestation.world.signatures import (
    Item,
    SignatureError,
    check_imports,
    fits,
    functions,
)

CORE_ENTRY = "_start"
"""What WASI preview 1 calls the entry of a command."""
_RUN = "()->result<_,_>"
_COMPONENT_ENTRY = re.compile(r"wasi:cli/run@0\.2\.([0-9]+)")


@dataclass(frozen=True, slots=True)
class Program:
    """A guest, compiled.

    Attributes:
        name: the guest's name.
        abi: the guest's ABI.
        code: machine code for any engine of `new_engine`. Nothing checks it when
            it is loaded, so it must never come from outside this process.
        entry: the export that starts it: a function, or for a component an
            instance with the function `run`.
    """

    name: str
    abi: Abi
    code: bytearray = field(repr=False)
    entry: str


def new_engine(*, fuel: bool = False) -> Engine:
    """Returns an engine whose guests can be stopped: see `stopping`.

    Args:
        fuel: whether its guests use up fuel, which makes them slower.
    """
    config = Config()
    config.epoch_interruption = True
    config.consume_fuel = fuel
    return Engine(config)


def compile_guest(engine: Engine, guest: Guest) -> Program:
    """Compiles a guest.

    Args:
        engine: one of `new_engine`.
        guest: what to compile.

    Raises:
        StartError: it is not valid WebAssembly, imports something of this
            package that this host does not have, or has no entry.
    """
    try:
        if guest.abi is Abi.COMPONENT:
            return _component(engine, guest)
        return _core_module(engine, guest)
    except WasmtimeError as error:
        raise StartError(
            f"{guest.name} cannot be compiled, so it is damaged or uses what this host lacks: "
            f"{printable(str(error))}"
        ) from error
    except SignatureError as error:
        raise StartError(
            f"{guest.name} was built for another host: {printable(str(error))}; "
            "build it again with this version's bindings, or use a newer host"
        ) from error


def _component(engine: Engine, guest: Guest) -> Program:
    component = Component(engine, guest.wasm)
    check_imports(engine, component)
    exports = component.type.exports(engine).items()
    commands = (name for name, item in exports if is_command(engine, name, item))
    entry = next(commands, None)
    if entry is None:
        raise StartError(
            f"{guest.name} is a library: it does not export `wasi:cli/run@0.2.x`, so nothing says "
            "what to run; build it as a command, or call its exports from a program of your own"
        )
    return Program(guest.name, guest.abi, component.serialize(), entry)


def _core_module(engine: Engine, guest: Guest) -> Program:
    module = Module(engine, guest.wasm)
    types = [export.type for export in module.exports if export.name == CORE_ENTRY]
    if not any(isinstance(type_, FuncType) and takes_nothing(type_) for type_ in types):
        raise StartError(
            f"{guest.name} is a library: it does not export the function `{CORE_ENTRY}`, so "
            "nothing says what to run; build it as a command (of WASI preview 1)"
        )
    return Program(guest.name, guest.abi, module.serialize(), CORE_ENTRY)


def is_command(engine: Engine, name: str, item: Item) -> bool:
    """Whether an export of a component is `wasi:cli/run` of WASI 0.2."""
    if _COMPONENT_ENTRY.fullmatch(name) is None:
        return False
    run = functions(engine, name, item).get("run")
    return run is not None and fits(run, _RUN)


def takes_nothing(function: FuncType) -> bool:
    """Whether a core function has the type of `_start`."""
    return not function.params and not function.results
