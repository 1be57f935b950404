"""Hostile guests in C++ and in Rust, as real compilers and allocators make them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from wasmtime_attestation.world.guest import Guest
from wasmtime_attestation.world.limits import Limits
from wasmtime_attestation.world.runtime import Runtime

from tests.guests import build
from tests.hostile.runs import said
from tests.tools import missing, require
from tests.world.scripted_world import ScriptedWorld

SOURCES = Path(__file__).parent / "guests"
LIMITS = Limits(
    seconds=0.5, memory_bytes=32 << 20, output_bytes=1 << 16, host_calls=5_000, host_bytes=None
)
EXPECTED = {
    "lie": "exit 0",
    "recurse": "trap: .*|host calls",
    "loop": "time",
    "call": "host calls",
    "flood": "output",
    "allocate": "memory|trap: .*",
    "abort-in-realloc": "exit 0",
    "host-in-realloc": "exit 0",
    "stack-from-realloc": "exit [0-9]+|trap: .*",  # it overwrote its own stack
    "steal": "exit 0",
    "free-in-realloc": "exit 0",
}


def _cpp() -> Path:
    return build.hostile(SOURCES / "hostile.cpp")


def _rust() -> Path:
    output, source = build.OUTPUT / "hostile-rust.wasm", SOURCES / "hostile.rs"
    if not output.exists() or output.stat().st_mtime < source.stat().st_mtime:
        rustc = require("rustc")
        output.parent.mkdir(parents=True, exist_ok=True)
        flags = ["--edition", "2021", "--target", "wasm32-wasip1", "-O", "-Cpanic=abort"]
        command = [rustc, *flags, "-o", str(output), str(source)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if "can't find crate for `std`" in done.stderr:
            missing("Rust's target wasm32-wasip1 is not installed")
        assert done.returncode == 0, done.stderr
    return output


@pytest.fixture(scope="module", params=[_cpp, _rust], ids=["C++", "Rust"])
def guest(request: pytest.FixtureRequest) -> Guest:
    return Guest.from_file(request.param())


@pytest.fixture(scope="module")
def runtime() -> Runtime:
    return Runtime()


@pytest.mark.parametrize("mode", EXPECTED)
def test_ends_as_it_must(runtime: Runtime, guest: Guest, mode: str) -> None:
    outcome = runtime.run(guest, ScriptedWorld(), args=[mode], limits=LIMITS)
    assert re.fullmatch(EXPECTED[mode], said(outcome)), outcome
    assert not runtime.is_blocked()
    # The next one does not notice.
    assert said(runtime.run(guest, ScriptedWorld(), args=["lie"], limits=LIMITS)) == "exit 0"
