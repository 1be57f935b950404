"""Host functions for core modules: what one sees of its caller, and how it is defined.

There are two ways with the same contract. `core_direct` reads wasmtime's own
representation of a call and is about twenty times faster; `core_stock` is
wasmtime-py's own way, for a wasmtime that lays things out differently.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Protocol

from wasmtime import FuncType, Linker


class LinearMemory(Protocol):
    """A 32-bit memory that the calling instance exports, for the length of one call.

    No size and no address is kept between two uses: both change whenever guest
    code runs. Offsets are not checked here: `memory.GuestMemory` does.
    """

    @property
    def identity(self) -> Hashable:
        """What tells this memory from every other that the process ever has."""

    def size(self) -> int:
        """Returns how many bytes it has now."""

    def read(self, start: int, size: int) -> bytes:
        """Returns a copy of `size` bytes, which are in it."""

    def write(self, start: int, data: bytes) -> None:
        """Writes bytes that have room in it."""

    def grow(self, size: int) -> int:
        """Adds at least `size` bytes and returns the address of the first.

        Raises:
            WasmtimeError: it cannot grow so far.
        """


class Caller(Protocol):
    """The instance that calls a host function, for the length of the call."""

    def memory(self) -> LinearMemory | None:
        """Returns its export `memory`; None where that is no ordinary 32-bit memory."""

    def realloc(self, size: int) -> int | None:
        """Returns what its export `cabi_realloc` says to `(0, 0, 1, size)`.

        None where that is no such function.

        Raises:
            Trap, WasmtimeError: the call failed.
        """


HostFunction = Callable[..., float | None]
"""Takes a `Caller` and the core parameters; integers come signed, as two's complement."""


class Define(Protocol):
    """Defines a host function in a linker."""

    def __call__(
        self, linker: Linker, module: str, name: str, type_: FuncType, function: HostFunction
    ) -> None:
        """Defines it.

        Args:
            linker: where; it may serve several instances, stores and threads.
            module: what the guest imports it from.
            name: its name there.
            type_: its core type, of numbers only.
            function: what it does. What it raises ends the guest's run and comes out of it.

        Raises:
            WasmtimeError: the linker has it already.
        """
