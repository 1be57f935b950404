"""What a guest may do wherever its code runs: loop, recurse, trap, grow; with host calls or not."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from wasmtime_attestation.world.guest import Guest

from tests.hostile.runs import BUMP, REALLOC, component, core, ended

DOES = {
    "loops": "(loop $again (br $again))",
    "loops and calls": "(loop $again (call $clear_cache) (br $again))",
    "recurses": "(call $deep)",
    "recurses and calls": "(call $deep_calls)",
    "traps": "unreachable",
    "grows": "(loop $again (br_if $again (i32.ne (memory.grow (i32.const 64)) (i32.const -1))))",
}
"""Statements, by what they do."""
_DEEP = "(func $deep (call $deep))"
_CORE = f"""{_DEEP}
(func $deep_calls (drop (call $attest_vm)) (call $deep_calls))
"""
_COMPONENT = f"""{_DEEP}
(func $deep_calls (call $attest_vm) (call $deep_calls))
"""
_CORE_PLACES: dict[str, Callable[[str], Guest]] = {
    "_start": lambda does: core(does, BUMP + _CORE),
    "start": lambda does: core("nop", BUMP + _CORE + f"(func $begin {does}) (start $begin)"),
    "cabi_realloc": lambda does: core("(call $exit (i32.eqz (call $attest_vm)))", _asked(does)),
    "cabi_realloc from start": lambda does: core(
        "nop", _asked(does) + "(func $begin (drop (call $attest_vm))) (start $begin)"
    ),
}
_COMPONENT_PLACES: dict[str, Callable[[str], Guest]] = {
    "run": lambda does: component(f"{does} i32.const 0", _COMPONENT),
    "start": lambda does: component(
        "i32.const 0", f"{_COMPONENT} (func $begin {does}) (start $begin)"
    ),
    "realloc": lambda does: component("(call $attest_vm) i32.const 0", realloc=_returning(does)),
    "realloc from start": lambda does: component(
        "i32.const 0", "(start $attest_vm)", realloc=_returning(does)
    ),
    "post-return": lambda does: component("i32.const 0", _COMPONENT, after=does),
}


def _asked(does: str) -> str:
    return f'{_CORE} (func (export "cabi_realloc") {REALLOC} {does} (i32.const 1024))'


def _returning(does: str) -> str:
    # The module of a component's allocator has no functions but its own.
    does = does.replace("$deep_calls", "$realloc_again").replace("$deep", "$realloc_again")
    again = "(drop (call $realloc (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 1)))"
    return f"{does.replace('(call $realloc_again)', again)} (i32.const 16384)"


GUESTS = {
    f"{abi}: {does} in {place}": make(body)
    for abi, places in (("core", _CORE_PLACES), ("component", _COMPONENT_PLACES))
    for place, make in places.items()
    for does, body in DOES.items()
}
CASES = {name: partial(ended, guest) for name, guest in GUESTS.items()}
