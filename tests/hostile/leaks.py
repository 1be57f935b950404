"""Thousands of runs of guests that end well and badly: what stays behind of them in memory."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

from wasmtime_attestation.world.guest import Guest
from wasmtime_attestation.world.limits import Limits
from wasmtime_attestation.world.runtime import Runtime

from tests.hostile.misbehaviour import GUESTS
from tests.hostile.runs import BUMP, component, core, said
from tests.world.scripted_world import ScriptedWorld

RUNS = 10_000
WARM = 500
QUICK = Limits(seconds=0.002)
FEW = Limits(host_calls=5, host_bytes=1_000, output_bytes=10)
_MEBIBYTES = 1 << 20
_CALLS = "(drop (call $attest_vm)) (drop (call $verify_token (i32.const 0) (i32.const 9)))"


def resident() -> float:
    """Returns the resident memory of this process in mebibytes."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / _MEBIBYTES


def _repeated(guest: Guest, limits: Limits, runs: int) -> str:
    """Returns how the last run ended, and what all runs after the first left behind."""
    runtime, world, before, last = Runtime(), ScriptedWorld(), 0.0, ""
    for run in range(WARM + runs):
        if run == WARM:
            before = resident()
        last = said(runtime.run(guest, world, limits=limits))
        world.calls.clear()
    grown, files = resident() - before, len(list(Path("/proc/self/fd").iterdir()))
    return f"{last}; {grown:.1f} MiB; {threading.active_count()} threads; {files} files"


CASES: dict[str, Callable[[], str]] = {
    "core: ends": partial(_repeated, core(_CALLS), Limits(), RUNS),
    "core: ends without an allocator": partial(_repeated, core(_CALLS, ""), Limits(), RUNS // 4),
    "component: ends": partial(
        _repeated, component("(call $attest_vm) i32.const 0"), Limits(), RUNS // 2
    ),
    "core: traps": partial(_repeated, GUESTS["core: traps in _start"], Limits(), RUNS // 4),
    "component: traps": partial(_repeated, GUESTS["component: traps in run"], Limits(), RUNS // 4),
    "core: calls too often": partial(
        _repeated, core(f"(loop $a {_CALLS} (br $a))", BUMP), FEW, RUNS // 4
    ),
    "core: loops": partial(_repeated, GUESTS["core: loops in _start"], QUICK, RUNS // 10),
    "component: loops": partial(_repeated, GUESTS["component: loops in run"], QUICK, RUNS // 10),
}
