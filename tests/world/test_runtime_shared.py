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
from wasmtime_attestation.world import programs, worker
from wasmtime_attestation.world.compiler import Program, compile_guest
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
        with suppress(RuntimeError):  # whose traceback would hold what the run had
            pytest.fail(str(runtime.run(guest, ScriptedWorld())))
        assert not runtime.is_blocked()
        gc.collect()
        files.add(len(list(Path("/dev/fd").iterdir())))
    assert len(files) == 1
