"""Core values of the legacy ABI: how parameters and results travel that are numbers.

Integers come and go as signed, as two's complement. Of a parameter that is
narrower than its core type the low bits count, as in the canonical ABI.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import TypeVar

from wasmtime_attestation.errors import InvalidArgumentError
from wasmtime_attestation.world.binding.misfit import MisfitError

E = TypeVar("E", bound=StrEnum)


def boolean(core: int) -> bool:
    """Reads a `bool`: 0 is false and everything else is true."""
    return core != 0


def _unsigned(bits: int) -> Callable[[int], int]:
    return lambda core: core & ((1 << bits) - 1)


def _signed(bits: int) -> Callable[[int], int]:
    half = 1 << bits - 1
    return lambda core: ((core + half) & (2 * half - 1)) - half


u8, u16, u32, u64 = map(_unsigned, (8, 16, 32, 64))
s8, s16, s32, s64 = map(_signed, (8, 16, 32, 64))


def enumeration(kind: type[E]) -> Callable[[int], E]:
    """Returns what reads an enum by its case's position."""
    cases = tuple(kind)

    def read(core: int) -> E:
        if not 0 <= core < len(cases):
            raise InvalidArgumentError(f"{core} is no case of {kind.__name__}")
        return cases[core]

    return read


def from_boolean(value: bool) -> int:
    """Writes a `bool`."""
    if not isinstance(value, bool):
        raise MisfitError(f"a {type(value).__name__}, not a bool")
    return int(value)


def _integers(bits: int, *, signed: bool) -> Callable[[int], int]:
    low, high = (-(1 << bits - 1), 1 << bits - 1) if signed else (0, 1 << bits)
    wrap = s64 if bits == 64 else s32

    def write(value: int) -> int:
        if type(value) is not int or not low <= value < high:
            raise MisfitError(f"{value!r} does not fit into {bits} bits")
        return wrap(value)

    return write


from_u8, from_u16, from_u32, from_u64 = (_integers(b, signed=False) for b in (8, 16, 32, 64))
from_s8, from_s16, from_s32, from_s64 = (_integers(b, signed=True) for b in (8, 16, 32, 64))
