"""Exceptions that no guest may see come out of the run that they belong to, and of no other."""

from __future__ import annotations

import threading

import pytest
from wasmtime_attestation.world.guest import Guest
from wasmtime_attestation.world.runtime import Limits, Runtime

from tests.world.commands import (
    CLEAR,
    CLEAR_IMPORTS,
    CORE_CLEAR,
    EXIT,
    WORLD,
    component,
    core,
    exiting,
)
from tests.world.components import command
from tests.world.scripted_world import ScriptedWorld


@pytest.fixture(scope="module")
def runtime() -> Runtime:
    return Runtime()


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3), GeneratorExit()])
@pytest.mark.parametrize(
    "guest",
    [
        core("(call $clear) unreachable", CORE_CLEAR),
        core("nop", CORE_CLEAR, "(start $clear)"),
        component("(call $clear) unreachable", CLEAR, CLEAR_IMPORTS),
    ],
)
def test_what_no_guest_may_see_comes_out_of_the_run(
    runtime: Runtime, guest: Guest, error: BaseException
) -> None:
    with pytest.raises(type(error)) as caught:
        runtime.run(guest, ScriptedWorld(cleared=error))
    assert caught.value is error


def test_bug_2_an_exception_at_instantiation_does_not_show_up_in_the_next_run(
    runtime: Runtime,
) -> None:
    start = command("i32.const 0", outside=CLEAR, imports=CLEAR_IMPORTS + "(start $clear)")
    error = SystemExit(3)
    with pytest.raises(SystemExit) as caught:
        runtime.run(Guest("start.wasm", start), ScriptedWorld(cleared=error))
    assert caught.value is error
    assert "unreachable" in runtime.run(component("unreachable"), ScriptedWorld()).reason
    assert runtime.run(exiting(1), ScriptedWorld()).exit_code == 1


def test_bug_2_core_modules_in_other_threads_keep_their_exit_codes(runtime: Runtime) -> None:
    raising = core("(call $clear) unreachable", CORE_CLEAR)
    exiting_ = core("(call $exit (i32.const 42))", EXIT)
    outcomes: list[object] = []

    def work(number: int) -> None:
        for _ in range(100):
            error = SystemExit(number)
            try:
                guest = exiting_ if number % 2 else raising
                outcome = runtime.run(guest, ScriptedWorld(cleared=error))
                outcomes.append(outcome.exit_code == 42)
            except SystemExit as raised:
                outcomes.append(raised is error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == [True] * 800


def test_an_exception_within_a_guests_allocator_ends_the_run(runtime: Runtime) -> None:
    # The legacy ABI forgives an allocator that fails; this failure is not the allocator's.
    error = KeyboardInterrupt()
    guest = core(
        "(drop (call $detect)) (loop $forever (br $forever))",
        f'{CORE_CLEAR} (import {WORLD} "detect_tee" (func $detect (result i32)))',
        '(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)'
        " (call $clear) unreachable)",
    )
    with pytest.raises(KeyboardInterrupt) as caught:
        runtime.run(guest, ScriptedWorld(cleared=error), limits=Limits(seconds=30))
    assert caught.value is error


def test_many_threads_share_a_runtime(runtime: Runtime) -> None:
    guests = [component("i32.const 1"), exiting(0), component("unreachable"), core("nop")]
    outcomes: list[list[int]] = [[], [], [], []]

    def run(number: int) -> None:
        for _ in range(20):
            outcomes[number].append(runtime.run(guests[number], ScriptedWorld()).exit_code)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == [[1] * 20, [0] * 20, [134] * 20, [0] * 20]
    assert not runtime.is_blocked()
