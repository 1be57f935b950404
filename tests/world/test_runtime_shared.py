"""One runtime for many: threads that ask for the same guest, and processes that fork."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from wasmtime import Engine
from wasmtime_attestation.world import compilation, programs, worker
from wasmtime_attestation.world.compiler import Program, compile_guest
from wasmtime_attestation.world.failures import StartError
from wasmtime_attestation.world.guest import Guest
from wasmtime_attestation.world.runtime import Runtime

from tests.world.commands import core
from tests.world.scripted_world import ScriptedWorld

ROOT = Path(__file__).parents[2]
# Both need a compiler; the parent's is at work before the fork, as in a pool of processes.
FORKING = """
import os
from wasmtime_attestation.world.runtime import Runtime
from tests.world.commands import component, core
from tests.world.scripted_world import ScriptedWorld
runtime = Runtime()
for guest in (core("nop"), component("i32.const 0")):
    runtime.run(guest, ScriptedWorld()).check()
child = os.fork()
for guest in (core("nop nop"), component("nop i32.const 0")):
    runtime.run(guest, ScriptedWorld()).check()
if child:
    print(os.waitpid(child, 0)[1])
os._exit(0)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not fork by default")
def test_a_process_that_forked_runs_new_guests() -> None:
    command = [sys.executable, "-c", FORKING]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (0, "0\n"), done.stderr


def test_who_asks_for_the_same_guest_waits_for_one_compilation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compiled: list[str] = []
    all_ask = threading.Event()

    def compile_slowly(engine: Engine, guest: Guest, *, fuel: bool = False) -> Program:
        compiled.append(guest.name)
        all_ask.wait(0.5)  # longer than it takes the others to ask
        return compile_guest(engine, guest, fuel=fuel)

    monkeypatch.setattr(programs, "compile_guest", compile_slowly)
    runtime, guest = Runtime(), core("nop")
    with ThreadPoolExecutor(10) as pool:
        outcomes = list(pool.map(lambda _: runtime.run(guest, ScriptedWorld()), range(10)))
    assert {outcome.exit_code for outcome in outcomes} == {0}
    assert compiled == [guest.name]


def test_a_process_without_room_for_threads_is_told_so_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class NoThread(threading.Thread):
        def start(self) -> None:
            raise RuntimeError("can't start new thread")

    runtime, guest, files = Runtime(), core("nop"), set()
    runtime.compile(guest)
    monkeypatch.setattr(worker, "Thread", NoThread)
    for _ in range(3):
        with suppress(StartError):  # whose traceback would hold what the run had
            pytest.fail(str(runtime.run(guest, ScriptedWorld())))
        assert not runtime.is_blocked()
        gc.collect()
        files.add(len(list(Path("/dev/fd").iterdir())))
    assert len(files) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="limits of descriptors are the system's")
def test_a_process_without_room_for_files_starts_no_guest_and_says_so() -> None:
    command = [sys.executable, "-c", NO_FILES]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("ulimit") == 20  # 16 that are left to others, and 4


# No guest has written before: wasmtime's threads start with the first that does.
NO_FILES = """
import os, resource
from wasmtime_attestation.world.failures import StartError
from wasmtime_attestation.world.runtime import Runtime
from tests.world.commands import core
from tests.world.scripted_world import ScriptedWorld
WRITE = '''(import "wasi_snapshot_preview1" "fd_write"
  (func $write (param i32 i32 i32 i32) (result i32)))'''
CALL = "(drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))"
runtime, guest = Runtime(), core(CALL, WRITE)
runtime.compile(guest)
used, hard = len(os.listdir("/proc/self/fd")) - 1, resource.getrlimit(resource.RLIMIT_NOFILE)[1]
for free in range(24):
    resource.setrlimit(resource.RLIMIT_NOFILE, (used + free, hard))
    try:
        runtime.run(guest, ScriptedWorld()).check()
    except StartError as error:
        print(error)
    else:
        os._exit(0)
os._exit(1)
"""


@pytest.mark.parametrize(
    ("executable", "reason"),
    [("/bin/false", "is no Python (status 1)"), ("/none/such", "cannot be started")],
)
def test_a_guest_that_no_process_compiles_says_why(
    monkeypatch: pytest.MonkeyPatch, executable: str, reason: str
) -> None:
    """As in servers that embed Python, whose `sys.executable` is the server."""
    monkeypatch.setattr(compilation, "SMALL", 0)
    monkeypatch.setattr(sys, "executable", executable)
    with pytest.raises(StartError) as caught:
        Runtime().compile(core("nop"))
    assert reason in str(caught.value)
