"""How much of its host one run of a guest may use."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum

from wasmtime_attestation.errors import InvalidArgumentError

_MOST = (1 << 63) - 1
"""The largest number that wasmtime takes for a limit."""


class LimitKind(StrEnum):
    """Which limit ended a guest."""

    TIME = "time"
    FUEL = "fuel"
    MEMORY = "memory"
    MEMORIES = "memories"
    TABLES = "tables"
    TABLE_ELEMENTS = "table elements"
    INSTANCES = "instances"
    OUTPUT = "output"
    HOST_CALLS = "host calls"
    HOST_BYTES = "host bytes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of one run; `docs/isolation.md` has what a guest sees of each.

    Attributes:
        seconds: of time by the clock, without compilation; None for no limit.
        memory_bytes: the size that each linear memory may reach.
        memories: how many linear memories there may be.
        tables: how many tables there may be.
        table_elements: how many elements each table may have.
        instances: how many core instances there may be.
        fuel: units of work, roughly one an instruction; None for no limit,
            which is faster.
        output_bytes: what the guest may write to standard output and to
            standard error, each, where they are captured.
        host_calls: how often it may call this world; None for no limit.
        host_bytes: how many bytes it may pass to this world; None for no limit.

    Raises:
        InvalidArgumentError: a limit cannot be one.
    """

    seconds: float | None = 300.0
    memory_bytes: int = 1 << 30
    memories: int = 8
    tables: int = 100
    table_elements: int = 100_000
    instances: int = 1_000
    fuel: int | None = None
    output_bytes: int = 1 << 24
    host_calls: int | None = 10_000_000
    host_bytes: int | None = 1 << 32

    def __post_init__(self) -> None:
        # A NaN is not greater than anything.
        if self.seconds is not None and not self.seconds > 0:
            raise InvalidArgumentError(f"a guest cannot run for {self.seconds} seconds")
        for name in (field.name for field in fields(self) if field.name != "seconds"):
            limit = getattr(self, name)
            if limit is not None and not 0 <= limit <= _MOST:
                raise InvalidArgumentError(f"{limit} is no limit for {name.replace('_', ' ')}")


DEFAULT = Limits()
"""For guests of which nothing is known."""
