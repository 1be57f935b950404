"""Numbers that a hostile guest passes, and the functions that it passes them to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from wasmtime_attestation import wit
from wasmtime_attestation.world import _generated_legacy

from tests.world.core_guest import PAGE

U32 = 1 << 32
SIGN = 1 << 31
MAX_READ = 1 << 20
"""The most bytes of one argument, as `docs/legacy-abi.md` has it."""


@dataclass(frozen=True)
class Function:
    """A function of the legacy ABI as guests import it.

    Attributes:
        name: in snake_case.
        scalars: how many numbers it takes.
        buffers: how many pairs of pointer and length.
        answers: whether it returns the address of JSON.
    """

    name: str
    scalars: int
    buffers: int
    answers: bool


def _functions() -> Iterator[Function]:
    nobody = cast("wit.World", wit.World)  # nothing is called
    for function in _generated_legacy.functions(nobody, nobody, nobody):
        count = len(function.params.split())
        buffers = count // 2 if function.reads else 0
        yield Function(
            function.name, count - 2 * buffers, buffers, answers=function.write is not None
        )


FUNCTIONS = {function.name: function for function in _functions()}
"""Every function of the world, from what the host's own code was generated with."""


def signed(number: int) -> int:
    """Returns a number below 2^32 as the i32 that carries it."""
    return number - U32 if number >= SIGN else number


def edges(size: int) -> list[int]:
    """Returns addresses and lengths at which something may go wrong.

    Args:
        size: of memory in bytes.
    """
    near = {0, 8, size, MAX_READ, SIGN, U32}
    found = {number + step for number in near for step in (-1, 0, 1)}
    return sorted(number for number in {*found, 2, 4, U32 - PAGE} if 0 <= number < U32)


def pairs(size: int) -> Iterator[tuple[int, int]]:
    """Yields pointers and lengths: each edge with each, and sums that wrap.

    Args:
        size: of memory in bytes.
    """
    for pointer in edges(size):
        wrapping = {(U32 - pointer + step) % U32 for step in (0, 1, 2)}
        to_the_end = {(size - pointer + step) % U32 for step in (-1, 0, 1)}
        for length in sorted({*edges(size), *wrapping, *to_the_end}):
            yield pointer, length
