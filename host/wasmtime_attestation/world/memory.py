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
from threading import Lock

from wasmtime import Caller, ExitTrap, Func, Memory, Trap, TrapCode, ValType, WasmtimeError

from wasmtime_attestation.errors import InvalidArgumentError

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
_ADDRESSES = range(1, 1 << 31)  # guests in the field read addresses as signed and refuse 0
_FIRST_ADDRESS = 8
_Identity = tuple[int, int, int]


class OutOfBoundsError(InvalidArgumentError):
    """A guest's pointer and length name bytes that are not in its memory."""


class GuestMemories:
    """The memories of all instances that one linker serves."""

    def __init__(self) -> None:
        self._allocating: set[_Identity] = set()
        self._regions: OrderedDict[_Identity, int] = OrderedDict()
        self._lock = Lock()

    def of(self, caller: Caller) -> GuestMemory | None:
        """Returns the memory of the instance that is calling.

        None where the instance exports no 32-bit `memory` of its own, and while
        the same memory waits for its `cabi_realloc`: that would recurse without
        end.
        """
        memory = caller.get("memory")
        if not isinstance(memory, Memory) or memory.type(caller).is_64:
            log.info("a guest calls, but exports no ordinary 32-bit memory as `memory`")
            return None
        if _identity(memory) in self._allocating:
            log.info("a guest calls from within its cabi_realloc, which no answer can come out of")
            return None
        return GuestMemory(caller, memory, self)

    def allocate(self, memory: Memory, realloc: Func, caller: Caller, size: int) -> int:
        """Returns what the guest's `cabi_realloc` returns for `size` bytes.

        Raises:
            Trap, WasmtimeError: the call failed.
        """
        identity = _identity(memory)
        self._allocating.add(identity)
        try:
            address: int = realloc(caller, 0, 0, 1, size)
        finally:
            self._allocating.discard(identity)
        return address

    def region(self, memory: Memory, caller: Caller) -> int:
        """Returns the address of this memory's region, after growing the memory once.

        Raises:
            WasmtimeError: the memory cannot grow.
        """
        identity = _identity(memory)
        with self._lock:
            address = self._regions.pop(identity, None)
            if address is None:
                address = _grow(memory, caller)
            self._regions[identity] = address
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

    def __init__(self, caller: Caller, memory: Memory, memories: GuestMemories) -> None:
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
        start, size = pointer & 0xFFFF_FFFF, length & 0xFFFF_FFFF
        if not self._holds(start, size):
            raise OutOfBoundsError(
                f"{size} bytes at address {start} are not in the guest's memory of "
                f"{self._memory.data_len(self._caller)} bytes"
            )
        if size > MAX_READ:
            raise InvalidArgumentError(
                f"the argument is {size} bytes long; the legacy ABI takes at most {MAX_READ}"
            )
        return bytes(self._memory.read(self._caller, start, start + size))

    def read_text(self, pointer: int, length: int) -> str:
        """Returns the UTF-8 text that a guest names.

        Raises:
            OutOfBoundsError: it is not in memory.
            InvalidArgumentError: it is not UTF-8, or longer than MAX_READ bytes.
        """
        data = self.read(pointer, length)
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            raise InvalidArgumentError(
                f"the argument is not UTF-8 at byte {error.start}; pass text as UTF-8"
            ) from error

    def place(self, answer: bytes) -> int:
        """Writes `[u32 little-endian length][answer]` and returns its address, or FAILURE.

        The address stays valid until the guest frees it or, in the host's own
        region, until its next call.

        Args:
            answer: the bytes; more than the region holds fit only through `cabi_realloc`.

        Raises:
            Trap, ExitTrap: the guest's time or fuel ran out, or it exited, in `cabi_realloc`.
        """
        block = len(answer).to_bytes(4, "little") + answer
        address = self._allocated(len(block)) or self._in_region(len(block))
        if address != FAILURE:
            self._memory.write(self._caller, block, address)
        return address

    def _allocated(self, size: int) -> int:
        realloc = self._caller.get("cabi_realloc")
        if not isinstance(realloc, Func) or not _is_realloc(realloc, self._caller):
            return FAILURE
        try:
            address = self._memories.allocate(self._memory, realloc, self._caller, size)
        except (Trap, WasmtimeError) as error:
            if _ends_the_run(error):
                raise
            log.info("the guest's cabi_realloc failed: %r", str(error))
            return FAILURE
        return self._usable(address, size)

    def _in_region(self, size: int) -> int:
        if size > REGION_SIZE - _FIRST_ADDRESS:
            return FAILURE
        try:
            address = self._memories.region(self._memory, self._caller)
        except WasmtimeError as error:
            log.info("no room for an answer, and the guest's memory cannot grow: %s", error)
            return FAILURE
        return self._usable(address, size)

    def _usable(self, address: int, size: int) -> int:
        if address in _ADDRESSES and self._holds(address, size):
            return address
        return FAILURE

    def _holds(self, start: int, size: int) -> bool:
        return start + size <= self._memory.data_len(self._caller)


def _identity(memory: Memory) -> _Identity:
    """Returns what tells this memory from every other in the process.

    wasmtime-py gives instances no public identity; wasmtime's own is the
    store's number, which is never reused, and two indices within the store.
    """
    raw = memory._memory  # noqa: SLF001
    return raw._anon_1.store_id, raw._anon_1.__private1, raw.__private2  # noqa: SLF001


def _grow(memory: Memory, caller: Caller) -> int:
    page = memory.page_size(caller)
    start = memory.grow(caller, -(-REGION_SIZE // page)) * page
    return start or _FIRST_ADDRESS  # an empty memory grows at 0, and 0 says failure


def _is_realloc(function: Func, caller: Caller) -> bool:
    type_, i32 = function.type(caller), ValType.i32()
    return type_.params == [i32] * 4 and type_.results == [i32]


def _ends_the_run(error: Trap | WasmtimeError) -> bool:
    if isinstance(error, Trap):
        return error.trap_code in (TrapCode.INTERRUPT, TrapCode.OUT_OF_FUEL)
    return isinstance(error, ExitTrap) or _BAD_EXIT in str(error)
