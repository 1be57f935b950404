"""Whatever is raised at whichever host call, the process goes on, or ends as Python ends it."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.world.interrupted import ENDS, FUNCTIONS
from tests.world.test_runtime_output import WRITING_COMPONENT, writing

ROOT = Path(__file__).parents[2]
CODES = {"KeyboardInterrupt": -2, "SystemExit": 3, "MemoryError": 1, "ThreadDeath": 1}
"""How Python ends a process with each; a signal's number is negative."""


@pytest.mark.slow
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("way", ["fast", "stock"])
@pytest.mark.parametrize("abi", ["component", "core"])
def test_every_host_call_may_raise_anything(abi: str, way: str, end: str) -> None:
    command = [sys.executable, "-m", "tests.world.interrupted", abi, way, end]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == [*(f"{name} entered" for name in FUNCTIONS), "clean"]
    assert done.returncode == CODES[end], done.stderr
    assert "panicked" not in done.stderr
    assert "ignored" not in done.stderr  # as Python says of what a callback raised
    if end == "SystemExit":
        assert done.stderr == ""


LEAVING = """
import sys
from pathlib import Path
from wasmtime_attestation.world.runtime import Guest, Limits, Runtime
from tests.world.scripted_world import ScriptedWorld
guest, limits = Guest.from_file(Path(sys.argv[1])), Limits(output_bytes=70_000)
outcome = Runtime().run(guest, ScriptedWorld(), limits=limits)
assert len(outcome.stdout) == 70_000
sys.exit(int(sys.argv[2]))
"""


@pytest.mark.slow
def test_bug_3_two_hundred_processes_that_captured_output_leave_in_peace(tmp_path: Path) -> None:
    paths = [tmp_path / "component.wasm", tmp_path / "core.wasm"]
    for path, guest in zip(paths, (WRITING_COMPONENT, writing(60_000, 10)), strict=True):
        path.write_bytes(guest.wasm)

    def leave(number: int) -> tuple[int, str, str]:
        arguments = str(paths[number % 2]), str(number % 100)
        command = [sys.executable, "-c", LEAVING, *arguments]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    with ThreadPoolExecutor(2) as pool:
        ends = list(pool.map(leave, range(200)))
    assert ends == [(number % 100, "", "") for number in range(200)]
