"""Standard streams: captured exactly and bounded, given, inherited, or closed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from wasmtime_attestation.world import stdio
from wasmtime_attestation.world.guest import Guest
from wasmtime_attestation.world.runtime import Ended, LimitKind, Limits, Runtime

from tests.world import test_runtime_sandbox as sandbox
from tests.world.commands import CORE_CLEAR, EXIT, core
from tests.world.scripted_world import ScriptedWorld

ROOT = Path(__file__).parents[2]
WRITE = f'(import "{sandbox.P1}" "fd_write" (func $w (param i32 i32 i32 i32) (result i32)))'
READ = f'(import "{sandbox.P1}" "fd_read" (func $r (param i32 i32 i32 i32) (result i32)))'


def writing(size: int, times: int, stream: int = 1) -> Guest:
    """Returns a core module that writes `size` bytes again and again, whatever comes of it."""
    return core(
        f"""(local $n i32) (i32.store (i32.const 4) (i32.const {size}))
        (loop $again (drop (call $w (i32.const {stream}) (i32.const 0) (i32.const 1) (i32.const 8)))
          (local.set $n (i32.add (local.get $n) (i32.const 1)))
          (br_if $again (i32.lt_u (local.get $n) (i32.const {times}))))""",
        WRITE,
    )


WRITING_COMPONENT = sandbox.component(
    "(loop $again (call $put (i32.const 0) (i32.const 4096)) (br $again)) unreachable"
)


@pytest.fixture(params=["pipes", "files"])
def runtime(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Runtime:
    """Captures in one of the two ways; the second one is for systems without /dev/fd."""
    if request.param == "files":
        monkeypatch.setattr(stdio, "_DESCRIPTORS", Path("/nowhere"))
    return Runtime()


@pytest.mark.parametrize("stream", [1, 2])
@pytest.mark.parametrize(("size", "times"), [(1, 1), (65_536, 1), (1, 3000), (60_000, 40)])
def test_all_that_a_guest_may_write_comes_out(
    runtime: Runtime, size: int, times: int, stream: int
) -> None:
    limits = Limits(output_bytes=size * times)
    outcome = runtime.run(writing(size, times, stream), ScriptedWorld(), limits=limits).check()
    written = outcome.stdout, outcome.stderr
    assert [len(content) for content in written] == (
        [size * times, 0] if stream == 1 else [0, size * times]
    )


@pytest.mark.parametrize("stream", [1, 2])
@pytest.mark.parametrize("limit", [0, 1, 4096, 100_000])
def test_not_one_byte_more_comes_out(runtime: Runtime, limit: int, stream: int) -> None:
    limits = Limits(output_bytes=limit)
    outcome = runtime.run(writing(1, limit + 1, stream), ScriptedWorld(), limits=limits)
    assert (outcome.ended, outcome.limit, outcome.exit_code) == (
        Ended.LIMIT,
        LimitKind.OUTPUT,
        137,
    )
    assert len(outcome.stdout) + len(outcome.stderr) == limit


@pytest.mark.parametrize(
    "guest",
    [writing(65_000, 1 << 31), writing(1, 1 << 31), WRITING_COMPONENT],
    ids=["large", "small", "component"],
)
def test_a_flood_ends_at_once(runtime: Runtime, guest: Guest) -> None:
    outcome = runtime.run(guest, ScriptedWorld(), limits=Limits(output_bytes=1 << 20, seconds=60))
    assert outcome.limit is LimitKind.OUTPUT
    assert len(outcome.stdout) == 1 << 20
    assert outcome.duration < 30
    assert not runtime.is_blocked()


def test_a_guest_that_waits_for_room_is_stopped_in_time() -> None:
    """Its writes are as large as a pipe is, so that each has to wait."""
    limits = Limits(seconds=0.3, output_bytes=1 << 40)
    outcome = Runtime().run(WRITING_COMPONENT, ScriptedWorld(), limits=limits)
    assert outcome.limit is LimitKind.TIME
    assert outcome.stdout


class Slow(ScriptedWorld):
    """A world whose `clear-cache` returns when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.release = threading.Event()

    def clear_cache(self) -> None:
        self.release.wait(60)


def test_a_guest_that_was_left_behind_does_not_wait_for_a_reader() -> None:
    runtime, world = Runtime(), Slow()
    # One write, larger than a pipe and with no loop around it, in which nothing could stop it.
    body = """(drop (memory.grow (i32.const 16)))
    (i32.store (i32.const 4) (i32.const 1000000)) (call $clear)
    (drop (call $w (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))"""
    guest = core(body, CORE_CLEAR + WRITE)
    outcome = runtime.run(guest, world, limits=Limits(seconds=0.1))
    assert (outcome.limit, outcome.stdout) == (LimitKind.TIME, b"")
    assert runtime.is_blocked()
    world.release.set()
    end = time.monotonic() + 30
    while runtime.is_blocked() and time.monotonic() < end:
        time.sleep(0.01)
    assert not runtime.is_blocked()


def test_runs_leave_no_descriptor_open() -> None:
    runtime, guest = Runtime(), writing(10, 10)
    runtime.run(guest, ScriptedWorld())
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        runtime.run(guest, ScriptedWorld())
        runtime.run(guest, ScriptedWorld(), limits=Limits(output_bytes=1))
    assert len(list(Path("/proc/self/fd").iterdir())) <= before


def test_a_forked_process_that_holds_the_pipes_holds_up_nobody() -> None:
    class Forking(ScriptedWorld):
        child = 0

        def clear_cache(self) -> None:
            # A child that only sleeps, as a program's own worker processes might.
            self.child = os.fork()
            if not self.child:
                os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(60)"])  # noqa: S606

    world = Forking()
    start = time.monotonic()
    Runtime().run(core("(call $clear)", CORE_CLEAR), world).check()
    os.kill(world.child, signal.SIGKILL)
    os.waitpid(world.child, 0)
    assert time.monotonic() - start < 30


READING = """(i32.store (i32.const 4) (i32.const 100))
(drop (call $r (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
(i32.store (i32.const 4) (i32.load (i32.const 8)))
(drop (call $w (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))"""


@pytest.mark.parametrize("given", [b"", b"\0given\n"])
def test_a_guest_reads_what_it_is_given_and_nothing_else(given: bytes) -> None:
    reading = core(READING, READ + WRITE, '(data (i32.const 0) "\\10")')
    outcome = Runtime().run(reading, ScriptedWorld(), stdin=given)
    assert outcome.stdout == given


INHERITED = """
from wasmtime_attestation.world.stdio import Stdio
from tests.world.test_runtime_output import *
reading = core(READING, READ + WRITE, '(data (i32.const 0) "\\\\10")')
outcome = Runtime().run(reading, ScriptedWorld(), stdio=Stdio.INHERITED)
assert outcome.stdout == b""
"""


def test_streams_are_the_processs_own_where_they_are_inherited() -> None:
    command = [sys.executable, "-c", INHERITED]
    done = subprocess.run(command, input=b"typed", capture_output=True, cwd=ROOT, check=False)
    assert (done.stdout, done.stderr) == (b"typed", b"")


PIPED = """
import signal
from tests.world.test_runtime_output import *
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
for limit in (0, 1, 100_000):
    outcome = Runtime().run(writing(65_000, 50), ScriptedWorld(), limits=Limits(output_bytes=limit))
    print(outcome.limit, len(outcome.stdout))
"""


def test_a_process_with_the_default_for_sigpipe_survives_a_flood() -> None:
    command = [sys.executable, "-c", PIPED]
    done = subprocess.run(command, capture_output=True, cwd=ROOT, check=False, text=True)
    assert (done.returncode, done.stdout.split()) == (
        0,
        ["output", "0", "output", "1", "output", "100000"],
    ), done.stderr


def test_what_an_exiting_guest_wrote_is_there() -> None:
    body = """(i32.store (i32.const 4) (i32.const 9))
    (drop (call $w (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 8)))
    (call $exit (i32.const 3))"""
    outcome = Runtime().run(core(body, WRITE + EXIT), ScriptedWorld())
    assert (outcome.exit_code, len(outcome.stderr), outcome.stdout) == (3, 9, b"")
