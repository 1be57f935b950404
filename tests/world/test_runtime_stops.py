"""Guests that do not end by themselves: time limits, Ctrl-C, and calls that block."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from wasmtime_attestation import wit
from wasmtime_attestation.errors import InvalidArgumentError
from wasmtime_attestation.world import left_behind, worker
from wasmtime_attestation.world.guest import Guest
from wasmtime_attestation.world.left_behind import MAX_OF_ONE
from wasmtime_attestation.world.runtime import (
    Ended,
    LimitKind,
    Limits,
    Outcome,
    Runtime,
    StartError,
)

from tests.world.components import binary, command
from tests.world.scripted_world import ATTESTED, ScriptedWorld

ROOT = Path(__file__).parents[2]
LOOP = "(loop $again (br $again))"
CORE_LOOP = Guest("loop.wasm", binary(f'(module (func (export "_start") {LOOP}))'))
COMPONENT_LOOP = Guest("loop.wasm", command(f"{LOOP} unreachable"))
QUICK = Guest("quick.wasm", binary('(module (func (export "_start")))'))
BLOCKING = Guest(
    "blocking.wasm",
    binary("""(module
    (import "wasmtime_attestation" "attest_vm" (func $attest (result i32)))
    (memory (export "memory") 1)
    (func (export "_start") (drop (call $attest)) (loop $again (br $again))))"""),
)
READING = Guest(
    "reading.wasm",
    binary("""(module
    (import "wasi_snapshot_preview1" "fd_read"
      (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write"
      (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "\\10\\00\\00\\00\\08\\00\\00\\00") (data (i32.const 16) "calling\\n")
    (func (export "_start")
      (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
      (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))))"""),
)


class Blocked(ScriptedWorld):
    """A world whose `attest-vm` does not answer until it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.called, self.release = threading.Event(), threading.Event()

    def attest_vm(self) -> wit.AttestationResult:
        self.called.set()
        self.release.wait()
        return ATTESTED


@pytest.mark.parametrize("guest", [CORE_LOOP, COMPONENT_LOOP])
def test_a_time_limit_stops_an_endless_loop(guest: Guest) -> None:
    runtime = Runtime()
    runtime.compile(guest)
    start = time.monotonic()
    outcome = runtime.run(guest, ScriptedWorld(), limits=Limits(seconds=0.2))
    assert (outcome.limit, outcome.exit_code) == (LimitKind.TIME, 124)
    assert outcome.reason == "loop.wasm did not end within 0.2 seconds and was stopped"
    assert time.monotonic() - start >= 0.2
    assert not runtime.is_blocked()


def test_a_time_limit_stops_a_start_function() -> None:
    guest = Guest("g", binary(f'(module (func $f {LOOP}) (start $f) (func (export "_start")))'))
    runtime = Runtime()
    outcome = runtime.run(guest, ScriptedWorld(), limits=Limits(seconds=0.1))
    assert outcome.limit is LimitKind.TIME
    assert not runtime.is_blocked()


def test_a_time_limit_spares_the_guests_beside_it() -> None:
    runtime, world = Runtime(), Blocked()
    outcomes: list[Outcome] = []
    guest = Guest(
        "g",
        binary("""(module
        (import "wasmtime_attestation" "attest_vm" (func $attest (result i32)))
        (memory (export "memory") 1)
        (func (export "_start") (local $i i32)
          (drop (call $attest))
          (loop $again (br_if $again (i32.ne (i32.const 1000)
            (local.tee $i (i32.add (local.get $i) (i32.const 1))))))))"""),
    )
    thread = threading.Thread(target=lambda: outcomes.append(runtime.run(guest, world)))
    thread.start()
    assert world.called.wait(30)
    outcome = runtime.run(CORE_LOOP, ScriptedWorld(), limits=Limits(seconds=0.1))
    assert outcome.limit is LimitKind.TIME
    world.release.set()
    thread.join()
    assert [outcome.exit_code for outcome in outcomes] == [0]


def test_a_guest_in_a_call_that_does_not_end_is_left_behind() -> None:
    runtime, world = Runtime(), Blocked()
    start = time.monotonic()
    outcome = runtime.run(BLOCKING, world, limits=Limits(seconds=0.1))
    assert outcome.limit is LimitKind.TIME
    assert time.monotonic() - start < 30
    assert runtime.is_blocked()
    assert runtime.run(QUICK, ScriptedWorld()).exit_code == 0
    world.release.set()  # back in its loop, it notices that it was stopped
    for _ in range(1000):
        if not runtime.is_blocked():
            break
        time.sleep(0.01)
    assert not runtime.is_blocked()


def test_of_one_guest_only_so_many_runs_are_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "GRACE", 0.01)
    runtime, world, limits = Runtime(), Blocked(), Limits(seconds=0.05)
    for _ in range(MAX_OF_ONE):
        assert runtime.run(BLOCKING, world, limits=limits).limit is LimitKind.TIME
    with pytest.raises(StartError, match="4 of its runs were stopped within a call"):
        runtime.run(BLOCKING, world, limits=limits)
    assert runtime.run(QUICK, ScriptedWorld()).exit_code == 0  # another guest is no worse off
    world.release.set()
    while runtime.is_blocked():
        time.sleep(0.01)
    assert runtime.run(BLOCKING, world, limits=limits).ended is not Ended.TRAP


def test_of_all_guests_only_so_many_runs_are_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "GRACE", 0.01)
    monkeypatch.setattr(left_behind, "MAX_OF_ALL", 2)
    runtime, world, limits = Runtime(), Blocked(), Limits(seconds=0.05)
    for padding in (b"\0\x02\x01a", b"\0\x02\x01b"):  # custom sections: other bytes, another guest
        runtime.run(Guest("g", BLOCKING.wasm + padding), world, limits=limits)
    with pytest.raises(StartError, match="2 guests were stopped within calls that do not end"):
        runtime.run(QUICK, ScriptedWorld())
    world.release.set()
    while runtime.is_blocked():
        time.sleep(0.01)
    assert runtime.run(QUICK, ScriptedWorld()).exit_code == 0


@pytest.mark.parametrize("timeout", [0, -1, float("nan")])
def test_no_time_at_all_is_refused(timeout: float) -> None:
    with pytest.raises(InvalidArgumentError, match="cannot run for"):
        Limits(seconds=timeout)


SCRIPT = """
import os, sys, threading
from tests.world import test_runtime_stops as stops
from wasmtime_attestation.world.stdio import Stdio
from tests.world.scripted_world import ScriptedWorld

class Announcing(ScriptedWorld):
    def attest_vm(self):
        print("calling", flush=True)
        threading.Event().wait()

runtime = stops.Runtime()
guest, world = getattr(stops, sys.argv[1]), Announcing()
runtime.compile(guest)
print("running", flush=True)
try:
    code = runtime.run(guest, world, stdio=Stdio.INHERITED).exit_code
except KeyboardInterrupt:
    print("interrupted", runtime.is_blocked(), flush=True)
    if runtime.is_blocked():
        os._exit(130)
    sys.exit(130)
print("ended", code)
"""


def interrupt(guest: str, after: str) -> tuple[int, str, str, float]:
    """Runs a guest of this file in a process of its own; presses Ctrl-C after a line of output.

    Returns:
        Exit code, further output, errors, and how many seconds it took to end.
    """
    stdin, held_open = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, guest],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout is not None
    while process.stdout.readline() not in (f"{after}\n", ""):
        pass
    time.sleep(0.3)
    start = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    seconds = time.monotonic() - start
    os.close(stdin)
    os.close(held_open)
    return process.returncode, out, err, seconds


@pytest.mark.parametrize("guest", ["CORE_LOOP", "COMPONENT_LOOP"])
def test_ctrl_c_stops_an_endless_loop(guest: str) -> None:
    code, out, err, seconds = interrupt(guest, "running")
    assert (code, out, err) == (130, "interrupted False\n", "")
    assert seconds < 30


def test_ctrl_c_gives_up_on_a_host_call_that_does_not_end() -> None:
    code, out, err, seconds = interrupt("BLOCKING", "calling")
    assert (code, out, err) == (130, "interrupted True\n", "")
    assert worker.GRACE <= seconds < 30


def test_ctrl_c_gives_up_on_a_guest_that_waits_for_input() -> None:
    code, out, err, seconds = interrupt("READING", "calling")
    assert (code, out, err) == (130, "interrupted True\n", "")
    assert worker.GRACE <= seconds < 30


def test_bug_3_a_process_that_ran_a_guest_leaves_in_peace() -> None:
    process = subprocess.run(
        [sys.executable, "-c", SCRIPT, "QUICK"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert (process.returncode, process.stdout, process.stderr) == (0, "running\nended 0\n", "")
