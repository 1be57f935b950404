"""The C++ example as guest authors run it: one source, two ABIs, the same lines."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.example_guests import cpp_reporter

TOOL = Path(sys.executable).parent / "wasmtime-attestation"


@pytest.fixture(scope="module")
def guests() -> list[Path]:
    legacy = cpp_reporter()
    return [legacy, legacy.with_name("cpp-reporter-component.wasm")]


def run(*arguments: str) -> tuple[int, list[str]]:
    done = subprocess.run([TOOL, "run", *arguments], check=False, capture_output=True, text=True)
    return done.returncode, done.stdout.splitlines()


def test_both_work_where_they_are_attested(guests: list[Path]) -> None:
    for guest in guests:
        code, lines = run("--tee", "simulated", str(guest))
        assert (code, lines[0]) == (0, "detected: Simulated")
        assert lines[2:] == [
            "forged: false",
            "challenge: warning",
            "attested: Simulated, which proves nothing",
            "trained: y = 2 x + 1",
        ]


def test_both_stop_where_they_are_not(guests: list[Path]) -> None:
    legacy, component = (run(str(guest), "--", "--require") for guest in guests)
    assert legacy == component
    assert legacy[0] == 1
    assert legacy[1][-1] == "decided: to stop, since attestation is required"
