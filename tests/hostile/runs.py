"""Hostile guests in the real runtime, and how their runs end, in a word or two."""

from __future__ import annotations

from wasmtime_attestation import wit
from wasmtime_attestation.world.failures import StartError
from wasmtime_attestation.world.guest import Guest
from wasmtime_attestation.world.runtime import Ended, Limits, Runtime

from tests.world.components import CANON, IMPORTS, binary
from tests.world.core_guest import MODULE, PARAMETERS
from tests.world.scripted_world import ScriptedWorld

SECONDS = 0.3
"""What a guest that does not end is given."""
REALLOC = "(param i32 i32 i32 i32) (result i32)"
BUMP = f"""
(global $heap (mut i32) (i32.const 32768))
(func (export "cabi_realloc") {REALLOC}
  (global.set $heap (i32.add (global.get $heap) (local.get 3)))
  (i32.sub (global.get $heap) (local.get 3)))
"""
PAGE_OF_MEMORY = '(memory (export "memory") 1)'
EXIT = '(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))'
_OURS = "\n".join(
    f'(import "{MODULE}" "{name}" (func ${name} {"(param i32)" * count} (result i32)))'
    for name, count in PARAMETERS.items()
)
WORLD = f'{EXIT} {_OURS} (import "{MODULE}" "clear_cache" (func $clear_cache))'
"""Imports of everything that a core module may call."""


def core(
    start: str, rest: str = BUMP, *, memory: str = PAGE_OF_MEMORY, imports: str = WORLD
) -> Guest:
    """Returns a command for core modules.

    Args:
        start: the body of `_start`.
        rest: further fields of the module.
        memory: its memory.
        imports: what it imports.
    """
    text = f'(module {imports} {memory} {rest} (func $_start (export "_start") {start}))'
    return Guest("hostile.wasm", binary(text))


def component(
    run: str,
    rest: str = "",
    *,
    realloc: str = "(global.set $next (i32.add (global.get $next) (local.get 3)))"
    " (i32.sub (global.get $next) (local.get 3))",
    after: str = "",
) -> Guest:
    """Returns a command of the component model, whose allocator may call the host.

    Args:
        run: the body of a function that returns 0 for ok; `$vm` takes an address for its answer.
        rest: further fields of the module.
        realloc: the body of the allocator, to which `$clear_cache` and `$attest_vm` are known.
        after: the body of what the host calls after `run`; without it there is no such function.
    """
    post = f'(func (export "after") (param i32) {after})' if after else ""
    alias = '(alias core export $main "after" (core func $after))' if after else ""
    option = "(post-return $after)" if after else ""
    text = f"""(component {IMPORTS.replace("{v}", "0.1.0")}
    (core module $Space
      (type $clear (func)) (type $vm (func (param i32)))
      (memory (export "memory") 4) (table (export "calls") 2 funcref)
      (global $next (mut i32) (i32.const 8192))
      (func $clear_cache (call_indirect (type $clear) (i32.const 0)))
      (func $attest_vm (call_indirect (type $vm) (i32.const 64) (i32.const 1)))
      (func $realloc (export "realloc") {REALLOC} {realloc}))
    (core instance $space (instantiate $Space))
    (alias core export $space "memory" (core memory $memory))
    (alias core export $space "realloc" (core func $realloc))
    (alias export $attestation "clear-cache" (func $c)) (core func $clear (canon lower (func $c)))
    (alias export $attestation "attest-vm" (func $a))
    (core func $vm (canon lower (func $a) {CANON}))
    (core instance $host (export "clear" (func $clear)) (export "vm" (func $vm)))
    (core module $Main
      (import "host" "clear" (func $clear_cache)) (import "host" "vm" (func $vm (param i32)))
      (import "space" "memory" (memory 1)) (import "space" "calls" (table 2 funcref))
      (elem (i32.const 0) $clear_cache $vm)
      (func $attest_vm (call $vm (i32.const 64)))
      {rest} {post} (func $run (export "run") (result i32) {run}))
    (core instance $main
      (instantiate $Main (with "host" (instance $host)) (with "space" (instance $space))))
    (alias core export $main "run" (core func $run)) {alias}
    (func $lifted (result (result)) (canon lift (core func $run) {option}))
    (instance $command (export "run" (func $lifted)))
    (export "wasi:cli/run@0.2.3" (instance $command)))"""
    return Guest("hostile.wasm", binary(text))


def ended(guest: Guest, world: wit.World | None = None, seconds: float = SECONDS) -> str:
    """Runs a guest and returns how that ended."""
    limits = Limits(seconds=seconds)
    try:
        outcome = Runtime().run(guest, world or ScriptedWorld(), limits=limits)
    except StartError as error:
        return f"not started: {error}"
    if outcome.limit is not None:
        return str(outcome.limit)
    if outcome.ended is Ended.TRAP:
        return f"trap: {outcome.reason.partition(': ')[2]}"
    return f"exit {outcome.exit_code}"
