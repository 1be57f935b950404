"""What Python raises as a host function begins: too early for the function to see it.

Without care, ctypes drops the exception and returns garbage to wasmtime.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from wasmtime import Engine, Func, Module, Store
from wasmtime.component import Component
from wasmtime.component import Linker as ComponentLinker
from wasmtime_attestation.world.component import link_component
from wasmtime_attestation.world.core_calls import Define
from wasmtime_attestation.world.host_calls import ShieldedLinker, call_guest
from wasmtime_attestation.world.legacy import link_legacy

from tests.world.components import forwarder
from tests.world.core_guest import MODULE
from tests.world.core_paths import PATHS
from tests.world.scripted_world import ScriptedWorld

ROOT = Path(__file__).parents[2]
# Between the two calls is time for a signal.
TWICE = f"""(module
(import "{MODULE}" "clear_cache" (func $clear))
(import "{MODULE}" "verify_token" (func $verify (param i32 i32) (result i32)))
(memory (export "memory") 1)
(func (export "once") (call $clear))
(func (export "twice") (result i32) (local $left i32)
  (call $clear)
  (local.set $left (i32.const 500000000))
  (loop $wait
    (local.set $left (i32.sub (local.get $left) (i32.const 1)))
    (br_if $wait (local.get $left)))
  (call $verify (i32.const 16) (i32.const 1))))
"""


class InterruptedWorld(ScriptedWorld):
    """A world in which Ctrl-C is pressed while the guest computes after `clear-cache`."""

    def clear_cache(self) -> None:
        threading.Timer(0.02, os.kill, (os.getpid(), signal.SIGINT)).start()


class NowInterruptedWorld(ScriptedWorld):
    """A world in which Ctrl-C is pressed during `clear-cache`."""

    def clear_cache(self) -> None:
        os.kill(os.getpid(), signal.SIGINT)


def core(world: ScriptedWorld, name: str, define: Define) -> Callable[[], object]:
    with ShieldedLinker(Engine()) as linker:
        link_legacy(linker, world, define=define)
        store = Store(linker.engine)
        exports = linker.instantiate(store, Module(linker.engine, TWICE)).exports(store)
        function = exports[name]
        assert isinstance(function, Func)
        return lambda: function(store)


@pytest.mark.parametrize("define", PATHS.values(), ids=PATHS)
def test_ctrl_c_in_a_core_module_ends_the_run(define: Define) -> None:
    with pytest.raises(KeyboardInterrupt):
        call_guest(core(InterruptedWorld(), "twice", define))
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("define", PATHS.values(), ids=PATHS)
def test_ctrl_c_in_the_last_host_call_comes_out_too(define: Define) -> None:
    with pytest.raises(KeyboardInterrupt):
        call_guest(core(NowInterruptedWorld(), "once", define))


@pytest.mark.parametrize("fast", [True, False])
def test_ctrl_c_in_a_component_ends_the_run(*, fast: bool) -> None:
    engine = Engine()
    with ComponentLinker(engine) as linker, Store(engine) as store:
        link_component(linker, NowInterruptedWorld(), fast=fast)
        instance = call_guest(linker.instantiate, store, Component(engine, forwarder()))
        clear = instance.get_func(store, "clear-cache")
        with pytest.raises(KeyboardInterrupt):
            call_guest(clear, store)


def test_a_programs_own_handler_stays() -> None:
    seen: list[int] = []
    former = signal.signal(signal.SIGINT, lambda number, _frame: seen.append(number))
    try:
        call_guest(core(NowInterruptedWorld(), "once", PATHS["direct"]))
    finally:
        signal.signal(signal.SIGINT, former)
    assert seen == [signal.SIGINT]


@pytest.mark.parametrize("offset", range(12))
@pytest.mark.parametrize("define", PATHS.values(), ids=PATHS)
def test_a_host_that_recurses_through_its_guest_is_stopped_in_time(
    define: Define, offset: int, capfd: pytest.CaptureFixture[str]
) -> None:
    class Recursion(ScriptedWorld):
        def clear_cache(self) -> None:
            call_guest(once)

    def at(depth: int) -> None:
        if depth:
            at(depth - 1)
        else:
            call_guest(once)

    once = core(Recursion(), "once", define)
    at(offset)
    assert "ignored" not in capfd.readouterr().err  # as Python says of what it drops


ALARMED = """
import signal
from tests.world.core_paths import PATHS
from tests.world.scripted_world import ScriptedWorld
from tests.world.test_interrupts import core

class AlarmedWorld(ScriptedWorld):
    def clear_cache(self):
        signal.setitimer(signal.ITIMER_REAL, 0.02)

    def verify_token(self, token):
        return False

def fail(*_):
    raise TimeoutError

signal.signal(signal.SIGALRM, fail)
print("answer", core(AlarmedWorld(), "twice", PATHS[%r])())
"""


@pytest.mark.parametrize("path", PATHS)
def test_a_call_that_a_signal_handler_swallows_is_never_a_yes(path: str) -> None:
    # A process of its own, since wasmtime may also take what is left of the call for a trap.
    command = [sys.executable, "-c", ALARMED % path]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.stdout in ("answer 0\n", ""), done.stderr
    assert "TimeoutError" in done.stderr
