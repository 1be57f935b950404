"""Small commands of both ABIs: guests that the runtime runs to their exit codes."""

from __future__ import annotations

from wasmtime_attestation.world.guest import Guest

from tests.world.components import CANON, IMPORTS, binary, command

EXIT = '(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))'
COMPONENT_EXIT = """
(import "wasi:cli/exit@0.2.0" (instance $e (export "exit" (func (param "status" (result))))))
(alias export $e "exit" (func $exit))
(core func $exit (canon lower (func $exit)))
(core instance $host (export "exit" (func $exit)))
"""
CLEAR = f"""
{IMPORTS.replace("{v}", "0.1.3")}
(alias export $attestation "clear-cache" (func $clear))
(core func $clear (canon lower (func $clear)))
(alias export $attestation "attest-vm" (func $vm))
(core func $vm (canon lower (func $vm) {CANON}))
(core instance $host (export "clear" (func $clear)) (export "vm" (func $vm)))
"""
CLEAR_IMPORTS = '(import "host" "clear" (func $clear)) (import "host" "vm" (func $vm (param i32)))'
WORLD = '"wasmtime_attestation"'
CORE_CLEAR = f'(import {WORLD} "clear_cache" (func $clear))'


def core(start: str, imports: str = "", rest: str = "") -> Guest:
    """Returns a core module whose `_start` is `start`."""
    memory = '(memory (export "memory") 1)'
    return Guest(
        "core.wasm",
        binary(f'(module {imports} {memory} {rest} (func $_start (export "_start") {start}))'),
    )


def component(run: str, outside: str = "", imports: str = "", version: str = "0.2.3") -> Guest:
    """Returns a component whose `wasi:cli/run` is `run`."""
    wasm = command(run, outside=outside, imports=imports, version=version)
    return Guest("component.wasm", wasm)


def exiting(status: int) -> Guest:
    return component(
        f"(call $exit (i32.const {status})) unreachable",
        COMPONENT_EXIT,
        '(import "host" "exit" (func $exit (param i32)))',
    )
