"""One run of a compiled guest, in a store of its own, from linking to its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, cast

from wasmtime import Engine, ExitTrap, Func, Memory, Module, Store, Trap, WasiConfig, WasmtimeError

from wasmtime_attestation import wit
from wasmtime_attestation.world import ending, sandbox
from wasmtime_attestation.world.compiler import Program
from wasmtime_attestation.world.ending import Ending
from wasmtime_attestation.world.failures import StartError, printable
from wasmtime_attestation.world.guest import Abi
from wasmtime_attestation.world.host_calls import ShieldedLinker, call_guest, meter_calls
from wasmtime_attestation.world.limits import Limits
from wasmtime_attestation.world.metering import Meter, Stopped
from wasmtime_attestation.world.stopping import Stop

if TYPE_CHECKING:
    from wasmtime.component import Component

Code: TypeAlias = "Component | Module"


def load(engine: Engine, program: Program) -> Code:
    """Returns a program's machine code, for any number of runs and threads of the engine."""
    if program.abi is Abi.COMPONENT:
        return program.component(engine)
    return program.module(engine)


@dataclass(frozen=True, slots=True)
class Execution:
    """What one run of a guest needs.

    Attributes:
        program: what to run.
        code: its machine code, as `load` returns it.
        engine: the code's.
        world: what the guest may call.
        wasi: what else it can reach; one run takes it.
        limits: what it may use.
        meter: counts its calls.
        stop: ends it.
    """

    program: Program
    code: Code
    engine: Engine
    world: wit.World
    wasi: WasiConfig
    limits: Limits
    meter: Meter
    stop: Stop

    def run(self) -> Ending:
        """Runs the guest to its end, in the calling thread.

        Raises:
            StartError: the guest cannot be linked or instantiated.
            BaseException: what a host function raised and no guest may see.
        """
        meter_calls(self.meter)
        # Closed here, since an exception's traceback would keep the guest's memory for long.
        with Store(self.engine) as store:
            sandbox.apply(self.limits, store)
            store.set_wasi(self.wasi)
            self.stop.arm(store)
            try:
                if isinstance(self.code, Module):
                    return self._core_module(store, self.code)
                return self._component(store, self.code)
            except ExitTrap as exit_:
                return ending.exited(self.program.name, exit_.code)
            except Stopped as stopped:
                return ending.stopped(self.program.name, stopped, self.limits)
            except (WasmtimeError, Trap) as error:
                return ending.failed(self.program.name, error, self.limits)

    def _component(self, store: Store, code: Component) -> Ending:
        # Each guest speaks one of the two ABIs.
        from wasmtime.component import Linker as ComponentLinker

        from wasmtime_attestation.world.component import link_component

        name = self.program.name
        with ComponentLinker(self.engine) as linker:
            linker.add_wasip2()
            link_component(linker, self.world)
            try:
                instance = call_guest(linker.instantiate, store, code)
            except WasmtimeError as error:
                self._check_start(error)
                raise
            run = code.get_export_index("run", code.get_export_index(self.program.entry))
            try:
                answer = call_guest(instance.get_func(store, run), store)
            except WasmtimeError as error:
                if _ASYNC in str(error):
                    raise StartError(
                        f"{name} exports an async `run`, which this host cannot call; "
                        "build it with a synchronous one (WASI 0.2)"
                    ) from error
                raise
            return ending.exited(name, 0 if answer.tag == "ok" else 1)

    def _core_module(self, store: Store, code: Module) -> Ending:
        from wasmtime_attestation.world.legacy import link_legacy

        with ShieldedLinker(self.engine) as linker:
            linker.define_wasi()
            link_legacy(linker, self.world)
            try:
                # Resolves imports by itself, so that what fails after it is no import's name.
                linked = linker.instantiate_pre(code)
            except WasmtimeError as error:
                raise self._unlinked(error) from error
            try:
                instance = call_guest(linked.instantiate, store)
            except (WasmtimeError, Trap) as error:
                self._check_start(error)
                raise
            exports = instance.exports(store)
            try:
                call_guest(cast("Func", exports[self.program.entry]), store)
            except ExitTrap:
                raise
            except (WasmtimeError, Trap) as error:
                memory = exports.get("memory")
                size = memory.data_len(store) if isinstance(memory, Memory) else 0
                return ending.failed(self.program.name, error, self.limits, size)
            return ending.exited(self.program.name, 0)

    def _check_start(self, error: WasmtimeError | Trap) -> None:
        """Tells a guest that ended while it was set up from one that could not be."""
        if not isinstance(error, ExitTrap) and not ending.is_the_guests(error):
            raise self._unlinked(error) from error

    def _unlinked(self, error: WasmtimeError | Trap) -> StartError:
        abi = self.program.abi
        return StartError(
            f"{self.program.name} cannot start: {printable(str(error))}. A host of "
            f"{wit.PACKAGE}@{wit.VERSION} gives a {abi} that package and WASI {_WASI[abi]}"
        )


_ASYNC = "cannot synchronously call an async-lifted export"
_WASI = {Abi.COMPONENT: "0.2", Abi.CORE: "preview 1"}
