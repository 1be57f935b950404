"""The linear memory of a core module's instance, as the legacy ABI reaches it.

Nothing of the guest's is trusted. Pointers and lengths are unsigned 32-bit
numbers and are checked against the memory as it is at that moment: its size
and its base may change whenever guest code runs, so neither is kept. Answers
go where the guest's `cabi_realloc` says; where that gives no usable address,
into a region that the host adds at the end of memory, one an instance.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock

from wasmtime import ExitTrap, Trap, TrapCode, WasmtimeError

from wasmtime_attestation.errors import InvalidArgumentError
from wasmtime_attestation.world.core_calls import Caller, LinearMemory
from wasmtime_attestation.world.host_calls import pass_bytes

log = logging.getLogger(__name__)

MAX_READ = 1 << 20
"""The most bytes that one pair of pointer and length may name."""
REGION_SIZE = 1 << 16
"""The size in bytes of the host's own region: one ordinary page holds any answer."""
MAX_REGIONS = 1024
"""How many instances' regions one linker remembers; an instance that is forgotten gets another."""
FAILURE = 0
"""What a function of the legacy ABI returns instead of an address when it fails."""

# What wasmtime says of `proc_exit` with a code that WASI preview 1 does not allow.
_BAD_EXIT = "exit with invalid exit status"
_END = 1 << 31  # guests in the field read addresses as signed and refuse 0
_FIRST_ADDRESS = 8
_U32 = 0xFFFF_FFFF


class OutOfBoundsError(InvalidArgumentError):
    """A guest's pointer and length name bytes that are not in its memory."""


class GuestMemories:
    """The memories of all instances that one linker serves."""

    def __init__(self) -> None:
        self._allocating: set[Hashable] = set()
        self._regions: OrderedDict[Hashable, int] = OrderedDict()
        self._lock = Lock()

    def of(self, caller: Caller) -> GuestMemory | None:
        """Returns the memory of the instance that is calling.

        None where the instance exports no 32-bit `memory` of its own, and while
        the same memory waits for its `cabi_realloc`: that would recurse without
        end.
        """
        memory = caller.memory()
        if memory is None:
            log.info("a guest calls, but exports no ordinary 32-bit memory as `memory`")
            return None
        if self._allocating and memory.identity in self._allocating:
            log.info("a guest calls from within its cabi_realloc, which no answer can come out of")
            return None
        return GuestMemory(caller, memory, self)

    def allocate(self, memory: LinearMemory, caller: Caller, size: int) -> int | None:
        """Returns what the caller's `cabi_realloc` returns for `size` bytes, if there is one.

        Raises:
            Trap, WasmtimeError: the call failed.
        """
        identity = memory.identity
        self._allocating.add(identity)
        try:
            return caller.realloc(size)
        finally:
            self._allocating.discard(identity)

    def region(self, memory: LinearMemory) -> int:
        """Returns the address of this memory's region, after growing the memory once.

        Raises:
            WasmtimeError: the memory cannot grow.
        """
        with self._lock:
            address = self._regions.pop(memory.identity, None)
            if address is None:
                # An empty memory grows at 0, and 0 says failure.
                address = memory.grow(REGION_SIZE) or _FIRST_ADDRESS
            self._regions[memory.identity] = address
            if len(self._regions) > MAX_REGIONS:
                self._regions.popitem(last=False)
        return address


class GuestMemory:
    """One instance's memory, for the length of one call.

    Args:
        caller: the instance that is calling.
        memory: its memory.
        memories: what is remembered from call to call.
    """

    __slots__ = ("_caller", "_memories", "_memory")

    def __init__(self, caller: Caller, memory: LinearMemory, memories: GuestMemories) -> None:
        self._caller = caller
        self._memory = memory
        self._memories = memories

    def read(self, pointer: int, length: int) -> bytes:
        """Returns a copy of the bytes that a guest names.

        Args:
            pointer: their address, as the i32 that the guest passed.
            length: how many, likewise.

        Raises:
            OutOfBoundsError: they are not in memory.
            InvalidArgumentError: they are more than MAX_READ.
        """
        start, size = pointer & _U32, length & _U32
        pass_bytes(size)
        if start + size > self._memory.size():
            raise OutOfBoundsError(
                f"{size} bytes at address {start} are not in the guest's memory of "
                f"{self._memory.size()} bytes"
            )
        if size > MAX_READ:
            raise InvalidArgumentError(
                f"the argument is {size} bytes long; the legacy ABI takes at most {MAX_READ}"
            )
        return self._memory.read(start, size)

    def read_optional(self, pointer: int, length: int) -> bytes | None:
        """Returns what `read` does, or None where the pointer is 0."""
        return None if pointer == 0 else self.read(pointer, length)

    def place(self, block: bytes) -> int:
        """Writes an answer and returns its address, or FAILURE.

        The address stays valid until the guest frees it or, in the host's own
        region, until its next call.

        Args:
            block: the bytes; more than the region holds fit only through `cabi_realloc`.

        Raises:
            Trap, ExitTrap: the guest's time or fuel ran out, or it exited, in `cabi_realloc`.
        """
        size = len(block)
        address = self._allocated(size) or self._in_region(size)
        if address != FAILURE:
            self._memory.write(address, block)
        return address

    def _allocated(self, size: int) -> int:
        try:
            address = self._memories.allocate(self._memory, self._caller, size)
        except (Trap, WasmtimeError) as error:
            if _ends_the_run(error):
                raise
            log.info("the guest's cabi_realloc failed: %r", str(error))
            return FAILURE
        return FAILURE if address is None else self._usable(address, size)

    def _in_region(self, size: int) -> int:
        if size > REGION_SIZE - _FIRST_ADDRESS:
            return FAILURE
        try:
            address = self._memories.region(self._memory)
        except WasmtimeError as error:
            log.info("no room for an answer, and the guest's memory cannot grow: %s", error)
            return FAILURE
        return self._usable(address, size)

    def _usable(self, address: int, size: int) -> int:
        is_usable = 0 < address < _END and address + size <= self._memory.size()
        return address if is_usable else FAILURE


def _ends_the_run(error: Trap | WasmtimeError) -> bool:
    if isinstance(error, Trap):
        return error.trap_code in (TrapCode.INTERRUPT, TrapCode.OUT_OF_FUEL)
    return isinstance(error, ExitTrap) or _BAD_EXIT in str(error)
