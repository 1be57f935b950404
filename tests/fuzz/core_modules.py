"""Random core modules that import the legacy world: valid, finite, and up to no good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.fuzz.choices import Choices
from tests.hostile.edges import FUNCTIONS, SIGN, U32, Function
from tests.world.core_guest import MODULE, PAGE

_MEMORIES = (
    '(memory (export "memory") {0})',
    '(memory (export "memory") {0} {0})',
    '(memory (export "memory") {0} 9)',
    '(memory 2) (memory (export "memory") {0})',
    "(memory {0})",
    '(memory (export "memory") i64 {0})',
    '(memory {0}) (global (export "memory") i32 (i32.const 1))',
    '(memory {0}) (table (export "memory") 1 funcref)',
)
_REALLOC_TYPES = (
    "(param i32 i32 i32 i32) (result i32)",
    "(param i32 i32 i32) (result i32)",
    "(param i32 i32 i32 i32)",
    "(param i32 i32 i32 i64) (result i32)",
    "(param i32 i32 i32 i32) (result i64)",
)
_DATA = (
    b"",
    b"{}",
    b'{"case":"vm"}',
    b'{"case":"gpu","value":3}',
    b'{"nonce":"AAAAAAAAAAA"}',
    b'{"nonce":"AAAAAAAAAAA","user_data":"AA","audience":"a"}',
    b'{"nonce":null,"audience":"a","max_age_seconds":1,"policy":"hardware-only"}',
    b"\xff\xfe",
    b'{"a":' * 40,
    b"token",
    b'{"case":"vm","case":"all"}',
    b"\xed\xa0\x80",
)
_RIGHT = {"verify_token": [(9, 0)], "attest": [(2, 3), (4, 5)], "verify": [(9, 0), (1, 6)]}
"""Which of them each function takes, a parameter each."""
BUFFERS = 512
"""Where the data begins: one buffer each 256 bytes."""
LOG = 32
"""How many results a module's exported globals remember."""


@dataclass(frozen=True)
class Numbers:
    """Chooses addresses and lengths, good ones more often than others."""

    choices: Choices
    size: int
    type: str

    def address(self) -> int:
        kind = self.choices.below(8)
        near = self.choices.below(7) - 3
        bases = (BUFFERS, 0, self.size, SIGN, U32, PAGE, self.choices.u32(), 4096)
        return (bases[kind] + near) % U32

    def pair(self, right: Sequence[int]) -> tuple[int, int]:
        """Returns a pointer and a length; one in two pairs is a buffer of the data."""
        if self.choices.likely():
            index = self.choices.of(right if self.choices.likely() else range(len(_DATA)))
            return BUFFERS + 256 * index, len(_DATA[index])
        pointer = self.address()
        lengths = (0, 1, self.size - pointer, U32 - pointer, self.address(), 1 << 20, (1 << 20) + 1)
        return pointer, self.choices.of(lengths) % U32


@dataclass(frozen=True)
class Made:
    """A module.

    Attributes:
        text: its text.
        is_quiet: whether its allocator writes to no memory.
    """

    text: str
    is_quiet: bool


def module(data: bytes) -> Made:
    """Returns a module made of the choices that some bytes make."""
    choices = Choices(data)
    pages = choices.below(4)
    memory = choices.of(_MEMORIES).format(pages)
    numbers = Numbers(choices, pages * PAGE, "i64" if "i64" in memory else "i32")
    realloc = _realloc(choices, numbers)
    begin = f"(func $begin {_statements(choices, numbers, 3)}) (start $begin)"
    fields = [
        *map(_import, FUNCTIONS.values()),
        memory,
        *(f'(global $r{i} (export "r{i}") (mut i32) (i32.const -1))' for i in range(LOG)),
        "(global $next (mut i32) (i32.const 0))",
        *_buffers(pages, memory),
        realloc,
        "" if choices.likely(3) else begin,
        f'(func (export "run") {_statements(choices, numbers, 24)})',
    ]
    return Made("\n".join(["(module", *fields, ")"]), _WRITES not in realloc)


_WRITES = "(i32.store8"


def _import(function: Function) -> str:
    params = "(param i32)" * (function.scalars + 2 * function.buffers)
    result = "" if function.name == "clear_cache" else "(result i32)"
    return f'(import "{MODULE}" "{function.name}" (func ${function.name} {params} {result}))'


def _buffers(pages: int, memory: str) -> list[str]:
    """Returns data segments, where there is room for them."""
    if not pages or "i64" in memory:
        return []
    target = "(memory 1) " if memory.count("(memory") > 1 else ""
    return [
        f'(data {target}(i32.const {BUFFERS + 256 * index}) "{_escaped(data)}")'
        for index, data in enumerate(_DATA)
    ]


def _escaped(data: bytes) -> str:
    return "".join(f"\\{byte:02x}" for byte in data)


def _realloc(choices: Choices, numbers: Numbers) -> str:
    """Returns what is exported as `cabi_realloc`, if anything is."""
    kind = choices.below(9)
    if kind == 0:
        return ""
    if kind == 1:
        name = choices.of([name for name in FUNCTIONS if name != "clear_cache"])
        return f'(export "cabi_realloc" (func ${name}))'
    if kind == 2:
        other = choices.of(('global (export "cabi_realloc") i32 (i32.const 8)', _TABLE))
        return f"({other})"
    type_ = choices.of(_REALLOC_TYPES) if kind == 3 else _REALLOC_TYPES[0]
    result = "i64" if "(result i64)" in type_ else "i32"
    returned = "" if "result" not in type_ else f"({result}.const {numbers.address()})"
    if kind > 5 and type_ == _REALLOC_TYPES[0]:
        returned = _BUMP
    body = "" if choices.likely() else _statements(choices, numbers, 3)
    return f'(func $realloc (export "cabi_realloc") {type_} {body} {returned})'


_TABLE = 'table (export "cabi_realloc") 1 funcref'
_BUMP = """
(global.set $next (i32.add (global.get $next) (local.get 3)))
(i32.add (i32.const 8192) (i32.sub (global.get $next) (local.get 3)))
"""


def _statements(choices: Choices, numbers: Numbers, most: int) -> str:
    count = 1 + choices.below(most)
    return " ".join(_statement(choices, numbers, 2) for _ in range(count))


def _statement(choices: Choices, numbers: Numbers, depth: int) -> str:
    kind, address = choices.below(12), numbers.type
    if kind == 0:
        return f"(drop (memory.grow ({address}.const {choices.of(_PAGES)})))"
    if kind == 1:
        at = f"({address}.const {numbers.address()})"
        return f"{_WRITES} {at} (i32.const {choices.below(256)}))"
    if kind == 2:
        return choices.of(("unreachable", _ENDLESS, *["nop"] * 6))
    if kind == 3 and depth:
        inner = _statement(choices, numbers, depth - 1)
        return f"(loop $again {inner} (br_if $again (i32.lt_u (i32.const 0) (i32.const 0))))"
    return _call(choices, numbers)


_ENDLESS = "(loop $again (br $again))"
_PAGES = (0, 1, 3, 65535, -1)


def _call(choices: Choices, numbers: Numbers) -> str:
    function = choices.of(list(FUNCTIONS.values()))
    given = [numbers.address() for _ in range(function.scalars)]
    for right in _RIGHT.get(function.name, ()):
        given += numbers.pair(right)
    call = f"(call ${function.name} {' '.join(f'(i32.const {number})' for number in given)})"
    return call if function.name == "clear_cache" else f"(global.set $r{choices.below(LOG)} {call})"
