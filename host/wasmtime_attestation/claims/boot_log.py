"""What a boot log says that leads to the registers of a verified quote."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class MeasuredPart(StrEnum):
    """What of an event's data its digest is of."""

    ALL = "all"
    VALUE = "value"
    """Of a variable's value or a command, without the name in front of it."""
    NONE = "none"


@dataclass(frozen=True, slots=True)
class BootEvent:
    """One measurement of the boot.

    Attributes:
        index: of the event in the log, from 0.
        register: such as PCR4 or RTMR1.
        type: the name of its type.
        digest: what the register was extended with.
        description: what the log says of it, in brief; None where it says nothing readable.
        measured: what of the log's data the digest is of; the rest, the type included, is the
            log's word alone.
    """

    index: int
    register: str
    type: str
    digest: bytes
    description: str | None
    measured: MeasuredPart


@dataclass(frozen=True, slots=True)
class BootLogClaims:
    """The log of a boot, as far as registers of a quote stand for it.

    Attributes:
        registers: to which its replay leads.
        uncovered: of the quote, which changed without an event in the log.
        events: of the registers, in their order.
    """

    registers: tuple[str, ...]
    uncovered: tuple[str, ...]
    events: tuple[BootEvent, ...]
