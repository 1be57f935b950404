"""Host functions for core modules as wasmtime-py itself offers them."""

from __future__ import annotations

import wasmtime
from wasmtime import Func, FuncType, Linker, Memory, ValType

from wasmtime_attestation.world.core_calls import HostFunction

Identity = tuple[int, int, int]


def define(linker: Linker, module: str, name: str, type_: FuncType, function: HostFunction) -> None:
    """Defines a host function; see `core_calls.Define`."""

    def call(caller: wasmtime.Caller, *arguments: float) -> float | None:
        return function(StockCaller(caller), *arguments)

    linker.define_func(module, name, type_, call, access_caller=True)


class StockCaller:
    """The calling instance through `wasmtime.Caller`."""

    def __init__(self, caller: wasmtime.Caller) -> None:
        self._caller = caller

    def memory(self) -> StockMemory | None:
        """Returns its export `memory`; None where that is no ordinary 32-bit memory."""
        memory = self._caller.get("memory")
        if not isinstance(memory, Memory) or memory.type(self._caller).is_64:
            return None
        return StockMemory(self._caller, memory)

    def realloc(self, size: int) -> int | None:
        """Returns what its export `cabi_realloc` says; None where that is no such function."""
        realloc = self._realloc()
        return None if realloc is None else realloc(self._caller, 0, 0, 1, size)

    def _realloc(self) -> Func | None:
        realloc = self._caller.get("cabi_realloc")
        if not isinstance(realloc, Func) or not _is_realloc(realloc.type(self._caller)):
            return None
        return realloc


class StockMemory:
    """A memory through `wasmtime.Memory`."""

    def __init__(self, caller: wasmtime.Caller, memory: Memory) -> None:
        self._caller = caller
        self._memory = memory
        self.identity = _identity(memory)

    def size(self) -> int:
        """Returns how many bytes it has now."""
        return self._memory.data_len(self._caller)

    def read(self, start: int, size: int) -> bytes:
        """Returns a copy of `size` bytes, which are in it."""
        return bytes(self._memory.read(self._caller, start, start + size))

    def write(self, start: int, data: bytes) -> None:
        """Writes bytes that have room in it."""
        self._memory.write(self._caller, data, start)

    def grow(self, size: int) -> int:
        """Adds at least `size` bytes and returns the address of the first."""
        page = self._memory.page_size(self._caller)
        return self._memory.grow(self._caller, -(-size // page)) * page


def _is_realloc(type_: FuncType) -> bool:
    """Whether a core function has the type of `cabi_realloc`."""
    i32 = ValType.i32()
    return type_.params == [i32] * 4 and type_.results == [i32]


def _identity(memory: Memory) -> Identity:
    """Returns what tells this memory from every other in the process.

    wasmtime-py gives instances no public identity; wasmtime's own is the
    store's number, which is never reused, and two indices within the store.
    """
    raw = memory._memory  # noqa: SLF001
    return raw._anon_1.store_id, raw._anon_1.__private1, raw.__private2  # noqa: SLF001
