"""Modules that are small and claim much, or are made to keep a compiler busy."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from wasmtime_attestation.errors import InvalidArgumentError
from wasmtime_attestation.world import compilation
from wasmtime_attestation.world.guest import Guest
from wasmtime_attestation.world.inspection import inspect

from tests.hostile.runs import ended

_HEADER = b"\0asm\x01\0\0\0"
_NOTHING = b"\0\x0b"  # the body of a function
_TYPE, _IMPORT, _FUNCTION, _TABLE, _MEMORY, _GLOBAL, _EXPORT, _CODE, _DATA = (
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    10,
    11,
)


def leb(number: int) -> bytes:
    """Writes an unsigned LEB128 number."""
    data = bytearray()
    while number > 0x7F:
        data.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(data) + bytes([number])


def section(number: int, data: bytes) -> bytes:
    return bytes([number]) + leb(len(data)) + data


def vector(*items: bytes) -> bytes:
    return leb(len(items)) + b"".join(items)


def module(*bodies: bytes, before: bytes = b"", after: bytes = b"") -> bytes:
    """Returns a command of functions of type `() -> ()`, the first of which is `_start`."""
    return b"".join(
        [
            _HEADER,
            section(_TYPE, vector(b"\x60\0\0")),
            section(_FUNCTION, leb(len(bodies)) + bytes(len(bodies))),
            before,
            section(_EXPORT, vector(b"\x06_start\0\0")),
            section(_CODE, vector(*(leb(len(body)) + body for body in bodies))),
            after,
        ]
    )


def _memory(pages: int) -> bytes:
    return section(_MEMORY, vector(b"\0" + leb(pages)))


def _nested(count: int) -> bytes:
    return b"\0" + b"\x03\x40" * count + b"\x0b" * (count + 1)


_MODULES: dict[str, Callable[[], bytes]] = {
    "2^32 types": lambda: _HEADER + section(_TYPE, leb(2**32 - 1)),
    "2^32 functions": lambda: _HEADER + section(_FUNCTION, leb(2**32 - 1)),
    "a million imports": lambda: (
        _HEADER
        + section(_TYPE, vector(b"\x60\0\0"))
        + section(_IMPORT, vector(*[b"\x01a\x01b\0\0"] * 1_000_000))
    ),
    "a name of 16 MiB": lambda: module(
        _NOTHING, after=section(_DATA, leb(0)) + section(0, leb(1 << 24) + b"a" * (1 << 24))
    ),
    "a section beyond the end": lambda: _HEADER + b"\x01" + leb(2**32 - 1),
    "2^32 locals": lambda: module(b"\x01" + leb(2**32 - 1) + b"\x7f\x0b"),
    "50,000 locals": lambda: module(b"\x01" + leb(50_000) + b"\x7f\x0b"),
    "a memory of 4 GiB": lambda: module(_NOTHING, before=_memory(65536)),
    "a memory of 1 GiB": lambda: module(_NOTHING, before=_memory(16384)),
    "a memory of more than 4 GiB": lambda: module(_NOTHING, before=_memory(65537)),
    "1,000 memories": lambda: module(_NOTHING, before=section(_MEMORY, vector(*[b"\0\0"] * 1000))),
    "9 memories": lambda: module(_NOTHING, before=section(_MEMORY, vector(*[b"\0\0"] * 9))),
    "a table of 2^32": lambda: module(
        _NOTHING, before=section(_TABLE, vector(b"\x70\0" + leb(2**32 - 1)))
    ),
    "data at both ends of 1 GiB": lambda: module(
        _NOTHING,
        before=_memory(16384),
        after=section(_DATA, vector(b"\0\x41\0\x0b\x01a", b"\0\x41\xff\xff\xff\xff\x03\x0b\x01a")),
    ),
    "100,000 pieces of data": lambda: module(
        _NOTHING, before=_memory(1), after=section(_DATA, vector(*[b"\0\x41\0\x0b\x01a"] * 100_000))
    ),
    "32 MiB of data": lambda: module(
        _NOTHING,
        before=_memory(1024),
        after=section(_DATA, vector(b"\0\x41\0\x0b" + leb(1 << 25) + bytes(1 << 25))),
    ),
    "300,000 globals": lambda: module(
        _NOTHING, before=section(_GLOBAL, vector(*[b"\x7f\0\x41\0\x0b"] * 300_000))
    ),
    "nothing but 64 MiB": lambda: module(_NOTHING, after=section(0, b"\x01x" + bytes(1 << 26))),
    "a body of a million nothings": lambda: module(b"\0" + b"\x01" * 1_000_000 + b"\x0b"),
    "a body of 8 MiB": lambda: module(b"\0" + b"\x01" * (1 << 23) + b"\x0b"),
    "a small guest with much to compile": lambda: module(_nested(5_400)),
}
SLOW = module(_nested(100_000))
"""0.3 MB that take wasmtime minutes."""
LARGE = module(b"\0" + b"\x10\0" * 1_000_000 + b"\x0b")
"""2 MB that take wasmtime more than 1 GiB."""


def _run(make: Callable[[], bytes]) -> str:
    return ended(Guest("bomb.wasm", make()))


def _bounded(wasm: bytes, *, seconds: float, memory: int, look: bool = False) -> str:
    """Runs a guest, or looks at it, with other bounds for its compilation."""
    usual = compilation.SECONDS, compilation.MEMORY
    compilation.SECONDS, compilation.MEMORY = seconds, memory
    try:
        if look:
            inspect(Guest("bomb.wasm", wasm))
        return ended(Guest("bomb.wasm", wasm))
    except InvalidArgumentError as error:
        return str(error)
    finally:
        compilation.SECONDS, compilation.MEMORY = usual


CASES: dict[str, Callable[[], str]] = {
    **{name: partial(_run, make) for name, make in _MODULES.items()},
    "minutes to compile": partial(_bounded, SLOW, seconds=1.0, memory=1 << 30),
    "minutes to look at": partial(_bounded, SLOW, seconds=0.01, memory=1 << 30, look=True),
    "gigabytes to compile": partial(_bounded, LARGE, seconds=60.0, memory=300 << 20),
}
