"""Well-behaved guests beside hostile ones, in one runtime: they see what they see alone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

from wasmtime_attestation.errors import DeniedError
from wasmtime_attestation.world.guest import Guest
from wasmtime_attestation.world.limits import Limits
from wasmtime_attestation.world.outcome import Outcome
from wasmtime_attestation.world.runtime import Runtime

from tests.hostile.floods import GUESTS as FLOODS
from tests.hostile.misbehaviour import GUESTS as MISBEHAVIOUR
from tests.hostile.runs import BUMP, WORLD, component, core, said
from tests.world.scripted_world import TOKEN, ScriptedWorld

ROUNDS = 3
HOSTILE = Limits(seconds=0.05, output_bytes=1 << 16, host_calls=3_000, host_bytes=8 << 20)
_WRITE = (
    '(import "wasi_snapshot_preview1" "fd_write" (func $w (param i32 i32 i32 i32) (result i32)))'
)
# Attests, has the token verified where the host wrote it, and prints the whole answer.
_CORE = core(
    f"""(local $at i32)
    (if (i32.ne (call $verify_token (i32.const 64) (i32.const {len(TOKEN)})) (i32.const 1))
      (then (call $exit (i32.const 3))))
    (local.set $at (call $attest_vm))
    (i32.store (i32.const 8) (i32.add (local.get $at) (i32.const 4)))
    (i32.store (i32.const 12) (i32.load (local.get $at)))
    (if (call $w (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 0))
      (then (call $exit (i32.const 4))))""",
    f'(data (i32.const 64) "{TOKEN}") {BUMP}',
    imports=_WRITE + WORLD,
)
_COMPONENT = component("(call $attest_vm) (call $clear_cache) (i32.load8_u (i32.const 64))")


def _seen(runtime: Runtime) -> list[object]:
    """Returns what well-behaved guests see, each in a run of its own."""

    def told(outcome: Outcome, world: ScriptedWorld) -> object:
        return said(outcome), outcome.stdout, dict(outcome.calls), world.calls

    seen = []
    for guest in (_CORE, _COMPONENT):
        world = ScriptedWorld()
        seen.append(told(runtime.run(guest, world), world))
    return seen


def _beside(guest: Guest) -> str:
    """Returns what is different beside a hostile guest; an empty text for nothing."""
    runtime, over = Runtime(), threading.Event()
    alone = _seen(runtime)
    error = DeniedError("no")
    raised: list[BaseException] = []

    def misbehave() -> None:
        try:
            while not over.is_set():
                runtime.run(guest, ScriptedWorld(vm=error, listed=error), limits=HOSTILE)
        except BaseException as failure:  # noqa: BLE001 - for the test to look at
            raised.append(failure)

    thread = threading.Thread(target=misbehave)
    thread.start()
    seen = [_seen(runtime) for _ in range(ROUNDS)]
    over.set()
    thread.join()
    wrong = [other for other in seen if other != alone]
    return f"{raised or ''}{wrong or ''}{'blocked' if runtime.is_blocked() else ''}"


CASES: dict[str, Callable[[], str]] = {
    name: partial(_beside, guest) for name, guest in {**MISBEHAVIOUR, **FLOODS}.items()
}
