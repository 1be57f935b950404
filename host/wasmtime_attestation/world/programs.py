"""Guests compiled for one engine, which their runs share."""

from __future__ import annotations

from threading import Lock
from typing import TypeAlias
from weakref import WeakKeyDictionary

from wasmtime_attestation.world.code_cache import CodeCache
from wasmtime_attestation.world.compiler import Program, compile_guest, new_engine
from wasmtime_attestation.world.execution import Code, load
from wasmtime_attestation.world.guest import Guest
from wasmtime_attestation.world.worker import Worker

Loaded: TypeAlias = tuple[Program, Code]


class Programs:
    """Compiles guests, and keeps their machine code for as long as the guests are.

    Args:
        cache: where compiled guests are kept for other processes; None for nowhere.
        fuel: whether runs count fuel.

    Attributes:
        engine: for which they are compiled.
    """

    def __init__(self, cache: CodeCache | None = None, *, fuel: bool) -> None:
        self._cache = cache
        self.engine = new_engine(fuel=fuel)
        self._counts_fuel = fuel
        self._loaded: WeakKeyDictionary[Guest, Loaded] = WeakKeyDictionary()
        self._compiling: dict[Guest, Worker[Loaded]] = {}
        self._lock = Lock()

    @property
    def is_compiling(self) -> bool:
        """Whether a guest is being compiled, perhaps for somebody who no longer waits."""
        return any(not worker.done for worker in tuple(self._compiling.values()))

    def of(self, guest: Guest) -> Loaded:
        """Returns a guest's program, compiled in a thread of its own so that Ctrl-C gets through.

        Whoever asks for a guest that is being compiled waits for the same thread.

        Raises:
            StartError: it cannot be compiled.
        """
        loaded = self._loaded.get(guest)
        if loaded is None:
            worker = self._compiler(guest)
            worker.wait()
            loaded = worker.result()
        return loaded

    def _compiler(self, guest: Guest) -> Worker[Loaded]:
        """Returns the thread that compiles a guest, which is started unless it is there."""
        with self._lock:
            worker = self._compiling.get(guest)
            if worker is None or worker.done:
                worker = Worker(lambda: self._compiled(guest))
                worker.start()
                others = {g: w for g, w in self._compiling.items() if not w.done}
                self._compiling = {**others, guest: worker}
        return worker

    def _compiled(self, guest: Guest) -> Loaded:
        if self._cache is None:
            program = compile_guest(self.engine, guest, fuel=self._counts_fuel)
        else:
            program = self._cache.program(self.engine, guest, fuel=self._counts_fuel)
        loaded = self._loaded[guest] = program, load(self.engine, program)
        return loaded
