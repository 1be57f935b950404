"""One run of a compiled guest, in a store of its own, from linking to its exit code."""

from __future__ import annotations

from typing import cast

from wasmtime import Engine, ExitTrap, Func, Store, Trap, WasmtimeError, component

from wasmtime_attestation import wit
from wasmtime_attestation.world.compiler import Program
from wasmtime_attestation.world.component import link_component
from wasmtime_attestation.world.failures import GuestTrap, StartError, printable
from wasmtime_attestation.world.guest import Abi
from wasmtime_attestation.world.host_calls import ShieldedLinker, call_guest
from wasmtime_attestation.world.legacy import link_legacy
from wasmtime_attestation.world.sandbox import Sandbox


def execute(engine: Engine, program: Program, world: wit.World, sandbox: Sandbox) -> int:
    """Runs a guest to its end and returns its exit code.

    Args:
        engine: of `compiler.new_engine`; the guest stops when its epoch is incremented.
        program: what to run.
        world: what the guest may call.
        sandbox: what else it can reach.

    Raises:
        InvalidArgumentError: the sandbox cannot be set up.
        StartError: the guest cannot be linked or instantiated.
        GuestTrap: it trapped.
        BaseException: what a host function raised and no guest may see.
    """
    # Closed here, since an exception's traceback would keep the guest's memory for long.
    with Store(engine) as store:
        sandbox.apply(store)
        store.set_epoch_deadline(1)
        try:
            if program.abi is Abi.COMPONENT:
                return _component(store, program, world)
            return _core_module(store, program, world)
        except ExitTrap as exit_:
            return exit_.code
        except (WasmtimeError, Trap) as error:
            raise GuestTrap.of(program.name, error) from error


def _component(store: Store, program: Program, world: wit.World) -> int:
    code = program.component(store.engine)
    with component.Linker(store.engine) as linker:
        linker.add_wasip2()
        link_component(linker, world)
        try:
            instance = call_guest(linker.instantiate, store, code)
        except WasmtimeError as error:
            raise _not_started(program, error) from error
        run = code.get_export_index("run", code.get_export_index(program.entry))
        try:
            answer = call_guest(instance.get_func(store, run), store)
        except WasmtimeError as error:
            if _ASYNC in str(error):
                raise StartError(
                    f"{program.name} exports an async `run`, which this host cannot call; "
                    "build it with a synchronous one (WASI 0.2)"
                ) from error
            raise
        return 0 if answer.tag == "ok" else 1


def _core_module(store: Store, program: Program, world: wit.World) -> int:
    code = program.module(store.engine)
    with ShieldedLinker(store.engine) as linker:
        linker.define_wasi()
        link_legacy(linker, world)
        try:
            # Resolves imports by itself, so that what fails after it is no import's name.
            linked = linker.instantiate_pre(code)
        except WasmtimeError as error:
            raise _unlinked(program, error) from error
        try:
            instance = call_guest(linked.instantiate, store)
        except (WasmtimeError, Trap) as error:
            raise _not_started(program, error) from error
        call_guest(cast("Func", instance.exports(store)[program.entry]), store)
        return 0


def _not_started(program: Program, error: WasmtimeError | Trap) -> Exception:
    """Tells a guest that trapped while it was set up from one that could not be."""
    if isinstance(error, ExitTrap):
        return error
    text = str(error)
    if "wasm backtrace:" in text:
        return GuestTrap.of(program.name, error)
    return _unlinked(program, error)


def _unlinked(program: Program, error: WasmtimeError | Trap) -> StartError:
    text = str(error)
    return StartError(
        f"{program.name} cannot start: {printable(text)}. A host of {wit.PACKAGE}@{wit.VERSION} "
        f"gives a {program.abi} that package and WASI {_WASI[program.abi]}, within its limits"
    )


_ASYNC = "cannot synchronously call an async-lifted export"
_WASI = {Abi.COMPONENT: "0.2", Abi.CORE: "preview 1"}
