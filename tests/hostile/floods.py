"""Guests that write, call and pass as much and as often as they can."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from wasmtime_attestation.errors import DeniedError
from wasmtime_attestation.world.guest import Guest
from wasmtime_attestation.world.limits import Limits
from wasmtime_attestation.world.runtime import Runtime

from tests.hostile.runs import BUMP, EXIT, WORLD, component, core, said
from tests.world.scripted_world import ScriptedWorld

T = TypeVar("T")

OUTPUT = 1 << 20
CALLS = 10_000
BYTES = 64 << 20
LIMITS = Limits(seconds=30.0, output_bytes=OUTPUT, host_calls=CALLS, host_bytes=BYTES)
_WRITE = (
    '(import "wasi_snapshot_preview1" "fd_write" (func $w (param i32 i32 i32 i32) (result i32)))'
)
# One vector that names a page.
_VECTOR = '(data (i32.const 8) "\\00\\00\\01\\00\\00\\00\\01\\00")'
_PAGES = '(memory (export "memory") 34)'


def _writes(*files: int) -> Guest:
    calls = "".join(
        f"(drop (call $w (i32.const {file}) (i32.const 8) (i32.const 1) (i32.const 0)))"
        for file in files
    )
    return core(f"(loop $again {calls} (br $again))", _VECTOR, memory=_PAGES, imports=EXIT + _WRITE)


def _calls(call: str) -> Guest:
    same = BUMP.replace("(local.get 3)", "(i32.const 0)")
    return core(f"(loop $again {call} (br $again))", same, memory=_PAGES, imports=WORLD)


def _component_calls(call: str) -> Guest:
    return component(f"(loop $again {call} (br $again)) unreachable", realloc="(i32.const 16384)")


_MEBIBYTE = "(i32.const 65536) (i32.const 1048576)"
GUESTS: dict[str, Guest] = {
    "standard output": _writes(1),
    "standard error": _writes(2),
    "both": _writes(1, 2),
    "core: detect_tee": _calls("(drop (call $detect_tee))"),
    "core: attest_vm": _calls("(drop (call $attest_vm))"),
    "core: attest_gpu": _calls("(drop (call $attest_gpu (i32.const -1)))"),
    "core: gpus": _calls("(drop (call $gpus))"),
    "core: clear_cache": _calls("(call $clear_cache)"),
    "core: verify_token": _calls("(drop (call $verify_token (i32.const 0) (i32.const 1)))"),
    "core: bad pointers": _calls("(drop (call $verify_token (i32.const -1) (i32.const 1)))"),
    "core: large tokens": _calls(f"(drop (call $verify_token {_MEBIBYTE}))"),
    "core: large challenges": _calls(f"(drop (call $attest {_MEBIBYTE} {_MEBIBYTE}))"),
    "component: attest-vm": _component_calls("(call $attest_vm)"),
    "component: clear-cache": _component_calls("(call $clear_cache)"),
}


class _Heard(logging.Handler):
    """Counts what is written to the log, as the tool has it."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.bytes = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.bytes += len(self.format(record))


def _flood(guest: Guest, error: type[Exception] | None) -> str:
    """Returns how it ended, what was captured, and how much was logged."""
    heard = _Heard()
    logging.getLogger().addHandler(heard)
    world = _World(error)
    outcome = Runtime().run(guest, world, limits=LIMITS)
    logging.getLogger().removeHandler(heard)
    captured = max(len(outcome.stdout), len(outcome.stderr))
    calls = sum(outcome.calls.values())
    return f"{said(outcome)}; captured {captured}, called {calls}, logged {heard.bytes}"


class _World(ScriptedWorld):
    """A world that does not remember what it was asked."""

    def __init__(self, error: type[Exception] | None) -> None:
        super().__init__()
        self._error = error

    def _answer(self, answer: T | BaseException, *_call: object) -> T:
        if self._error is not None:
            raise self._error("no")
        assert not isinstance(answer, BaseException)
        return answer


_ERRORS = {"answered": None, "denied": DeniedError, "failing": ValueError}
CASES: dict[str, Callable[[], str]] = {
    f"{name}, {how}": partial(_flood, guest, error)
    for name, guest in GUESTS.items()
    for how, error in _ERRORS.items()
    if how == "answered" or ": " in name
}
