"""How a guest ended, told from what wasmtime says."""

from __future__ import annotations

import re
from dataclasses import dataclass

from wasmtime import Trap, WasmtimeError

from wasmtime_attestation.world.failures import GuestTrap, printable
from wasmtime_attestation.world.limits import LimitKind, Limits
from wasmtime_attestation.world.metering import Stopped
from wasmtime_attestation.world.outcome import LIMITED, TIMED_OUT, TRAPPED, Ended

_BACKTRACE = "wasm backtrace:"
# What wasmtime says of guests that need more than their store has, when they start or grow.
_LIMITS = {
    re.compile(r"memory minimum size of .* exceeds memory limits"): LimitKind.MEMORY,
    re.compile(r"table minimum size of .* exceeds table limits"): LimitKind.TABLE_ELEMENTS,
    re.compile(r"resource limit exceeded: memory count"): LimitKind.MEMORIES,
    re.compile(r"resource limit exceeded: table count"): LimitKind.TABLES,
    re.compile(r"resource limit exceeded: instance count"): LimitKind.INSTANCES,
    re.compile(r"all fuel consumed by WebAssembly"): LimitKind.FUEL,
}

# Nobody tells the host that a memory could not grow, only the guest. Where it traps then, either
# its memory has hardly any room left, or its allocator's way to give up is in the backtrace.
_NEARLY = 15 / 16
_OUT_OF_MEMORY = re.compile(r"!.*(?:handle_alloc_error|rust_oom|alloc_error_handler|bad_alloc)")


@dataclass(frozen=True, slots=True)
class Ending:
    """How a guest ended; the attributes are those of `Outcome`."""

    ended: Ended
    exit_code: int
    reason: str
    limit: LimitKind | None = None


def exited(name: str, code: int) -> Ending:
    """Returns the end of a guest that ended by itself."""
    return Ending(Ended.EXIT, code, f"{printable(name)} ended with exit code {code}")


def limited(name: str, kind: LimitKind, limits: Limits) -> Ending:
    """Returns the end of a guest that a limit ended."""
    code = TIMED_OUT if kind is LimitKind.TIME else LIMITED
    return Ending(Ended.LIMIT, code, f"{printable(name)} {_WORDS[kind].format(limits)}", kind)


def stopped(name: str, stop: Stopped, limits: Limits) -> Ending:
    """Returns the end of a guest that was stopped, where its own limits did it."""
    if stop.limit is None:  # whoever stopped it knows why, and it may have no limit of time
        return Ending(Ended.LIMIT, TIMED_OUT, f"{printable(name)} was stopped", LimitKind.TIME)
    return limited(name, stop.limit, limits)


def failed(name: str, error: WasmtimeError | Trap, limits: Limits, memory: int = 0) -> Ending:
    """Returns the end of a guest that wasmtime ended.

    Args:
        name: the guest's name.
        error: what wasmtime says.
        limits: the guest's.
        memory: how many bytes its memory had, as far as it shows it.
    """
    kind = _limit(error)
    if kind is not None:
        return limited(name, kind, limits)
    trap = str(GuestTrap.of(name, error))
    if memory > limits.memory_bytes * _NEARLY or _OUT_OF_MEMORY.search(str(error)):
        words = _WORDS[LimitKind.MEMORY].format(limits)
        return Ending(Ended.LIMIT, LIMITED, f"{trap}; it {words}", LimitKind.MEMORY)
    return Ending(Ended.TRAP, TRAPPED, trap)


def is_the_guests(error: WasmtimeError | Trap) -> bool:
    """Whether an error of a start is the guest's own: it trapped, or hit a limit."""
    return _BACKTRACE in str(error) or _limit(error) is not None


def _limit(error: WasmtimeError | Trap) -> LimitKind | None:
    text = str(error)
    return next((kind for pattern, kind in _LIMITS.items() if pattern.search(text)), None)


_WORDS = {
    LimitKind.TIME: "did not end within {0.seconds:g} seconds and was stopped",
    LimitKind.FUEL: "used up its {0.fuel} units of fuel and was stopped",
    LimitKind.MEMORY: "needs more than the {0.memory_bytes} bytes that a memory may have",
    LimitKind.MEMORIES: "needs more than the {0.memories} memories that it may have",
    LimitKind.TABLES: "needs more than the {0.tables} tables that it may have",
    LimitKind.TABLE_ELEMENTS: "needs more elements than {0.table_elements}, the most of a table",
    LimitKind.INSTANCES: "needs more than the {0.instances} core instances that it may have",
    LimitKind.OUTPUT: "wrote more than the {0.output_bytes} bytes that it may",
    LimitKind.HOST_CALLS: "called its host more than the {0.host_calls} times that it may",
    LimitKind.HOST_BYTES: "passed more than the {0.host_bytes} bytes to its host that it may",
}
