"""Guests compiled for one engine, which their runs share."""

from __future__ import annotations

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
        self._workers: list[Worker[Loaded]] = []

    @property
    def is_compiling(self) -> bool:
        """Whether a guest is being compiled, perhaps for somebody who no longer waits."""
        return any(not worker.done for worker in self._workers)

    def of(self, guest: Guest) -> Loaded:
        """Returns a guest's program, compiled in a thread of its own so that Ctrl-C gets through.

        Raises:
            StartError: it cannot be compiled.
        """
        loaded = self._loaded.get(guest)
        if loaded is None:
            worker = Worker(lambda: self._compiled(guest))
            self._workers = [*(w for w in self._workers if not w.done), worker]
            worker.start()
            worker.wait()
            loaded = self._loaded[guest] = worker.result()
        return loaded

    def _compiled(self, guest: Guest) -> Loaded:
        if self._cache is None:
            program = compile_guest(self.engine, guest)
        else:
            program = self._cache.program(self.engine, guest, fuel=self._counts_fuel)
        return program, load(self.engine, program)
