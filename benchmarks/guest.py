"""Guests that call their host in a loop, or once, as components and as core modules."""

from __future__ import annotations

from typing import cast

from wasmtime import Func, Linker, Memory, Module, Store, component, wat2wasm
from wasmtime_attestation.world.host_calls import call_guest

TOKENS = 0x1_0000
HEAP = 0x20_0000
MAX_TOKENS = HEAP - TOKENS
"""The bytes of tokens that a guest can hold."""

_MEMORY = f"""
(memory (export "memory") 64)
(global $next (export "next") (mut i32) (i32.const {HEAP}))
(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
  (local $at i32)
  (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
  (global.set $next (i32.add (local.get $at) (local.get 3)))
  (local.get $at))
"""


def _loops(detected: str, attested: str) -> str:
    """Returns the functions that loop; each traps where the host says no."""
    return f"""
(func (export "load") (param $at i32) (param $length i32)
  (memory.copy (i32.const {TOKENS}) (local.get $at) (local.get $length))
  (global.set $next (i32.const {HEAP})))
{_loop("detect-tee", detected)}
{_loop("attest-vm", attested)}
{_loop("verify-token", "(call $verify-token (local.get $at) (local.get $length))")}
{_loop("clear-cache", "(call $clear-cache) (i32.const 1)")}
"""


def _loop(name: str, succeeds: str) -> str:
    """Returns a function that makes so many calls, and frees all memory after each.

    The token's address moves by `$stride` from call to call.
    """
    return f"""
(func (export "{name}") (param $calls i32) (param $length i32) (param $stride i32)
  (local $at i32)
  (local.set $at (i32.const {TOKENS}))
  (loop $again
    (if (i32.eqz {succeeds}) (then unreachable))
    (global.set $next (i32.const {HEAP}))
    (local.set $at (i32.add (local.get $at) (local.get $stride)))
    (local.set $calls (i32.sub (local.get $calls) (i32.const 1)))
    (br_if $again (local.get $calls))))
"""


# An envelope that begins with {"success":t tells of a success: the t is at byte 15.
_MODULE_LOOPS = _loops(
    detected="(call $detect-tee)",
    attested="(i32.eq (i32.load8_u offset=15 (call $attest-vm)) (i32.const 116))",
)
_MODULE = f"""(module
(import "wasmtime_attestation" "detect_tee" (func $detect-tee (result i32)))
(import "wasmtime_attestation" "attest_vm" (func $attest-vm (result i32)))
(import "wasmtime_attestation" "verify_token" (func $verify-token (param i32 i32) (result i32)))
(import "wasmtime_attestation" "clear_cache" (func $clear-cache))
{_MEMORY}
{_MODULE_LOOPS}
)"""

_IMPORTS = """
(import "wasmtime:attestation/attestation@0.1.0" (instance $attestation
  (type $t0 (enum "none" "intel-tdx" "intel-sgx" "amd-sev" "amd-sev-snp" "arm-cca" "ibm-se"
    "nvidia-gpu" "simulated" "other"))
  (export "tee-type" (type $tee-type (eq $t0)))
  (type $t1 (record (field "tee-type" $tee-type) (field "supports-attestation" bool)
    (field "provider" string) (field "gpu-count" u32)))
  (export "tee-info" (type $tee-info (eq $t1)))
  (type $t2 (record (field "token" string) (field "evidence" (option string))
    (field "timestamp" u64) (field "tee-type" $tee-type)))
  (export "attestation-result" (type $attestation-result (eq $t2)))
  (type $t3 (record (field "check" string) (field "detail" string)))
  (export "finding" (type $finding (eq $t3)))
  (type $t4 (variant (case "unsupported" string) (case "unavailable" string)
    (case "rejected" (list $finding)) (case "policy" (list $finding)) (case "denied" string)
    (case "invalid-argument" string) (case "internal" string)))
  (export "error" (type $error (eq $t4)))
  (export "detect-tee" (func (result $tee-info)))
  (export "attest-vm" (func (result (result $attestation-result (error $error)))))
  (export "verify-token" (func (param "token" string) (result bool)))
  (export "clear-cache" (func))))
"""


def _lowered(name: str) -> str:
    return f"""
(alias export $attestation "{name}" (func ${name}))
(core func ${name} (canon lower (func ${name}) (memory $memory) (realloc $realloc)))"""


def _lifted(name: str, parameters: str) -> str:
    return f"""
(alias core export $main "{name}" (core func $main-{name}))
(func $lifted-{name} {parameters}
  (canon lift (core func $main-{name}) (memory $memory) (realloc $realloc)))
(export "{name}" (func $lifted-{name}))"""


_CALLS = ("detect-tee", "attest-vm", "verify-token", "clear-cache")
_LOOP = '(param "calls" u32) (param "length" u32) (param "stride" u32)'
_AREA = "(i32.const 1024)"

# A result is ok where its first byte, the discriminant, is 0.
_COMPONENT_LOOPS = _loops(
    detected=f"(call $detect-tee {_AREA}) (i32.const 1)",
    attested=f"(call $attest-vm {_AREA}) (i32.eqz (i32.load8_u {_AREA}))",
)
_COMPONENT = f"""(component
{_IMPORTS}
(core module $Space {_MEMORY})
(core instance $space (instantiate $Space))
(alias core export $space "memory" (core memory $memory))
(alias core export $space "cabi_realloc" (core func $realloc))
{"".join(map(_lowered, _CALLS))}
(core instance $host {" ".join(f'(export "{name}" (func ${name}))' for name in _CALLS)})
(core module $Main
  (import "host" "detect-tee" (func $detect-tee (param i32)))
  (import "host" "attest-vm" (func $attest-vm (param i32)))
  (import "host" "verify-token" (func $verify-token (param i32 i32) (result i32)))
  (import "host" "clear-cache" (func $clear-cache))
  (import "space" "memory" (memory 64))
  (import "space" "next" (global $next (mut i32)))
  {_COMPONENT_LOOPS})
(core instance $main (instantiate $Main
  (with "host" (instance $host)) (with "space" (instance $space))))
{"".join(_lifted(name, _LOOP) for name in _CALLS)}
{_lifted("load", '(param "tokens" string)')}
)"""


def _work(iterations: int) -> str:
    """Returns a function that computes for about a nanosecond an iteration."""
    return f"""
(func $work (local $left i32) (local $x i32)
  (local.set $left (i32.const {iterations}))
  (loop $again
    (local.set $x (i32.add (i32.mul (local.get $x) (i32.const 1664525)) (local.get $left)))
    (local.set $left (i32.sub (local.get $left) (i32.const 1)))
    (br_if $again (local.get $left)))
  (i32.store (i32.const 8) (local.get $x)))
"""


def core_command(iterations: int) -> bytes:
    """Returns a command that asks for the TEE and computes a little, as a core module."""
    return bytes(
        wat2wasm(f"""(module
(import "wasmtime_attestation" "detect_tee" (func $detect-tee (result i32)))
{_MEMORY}
{_work(iterations)}
(func (export "_start") (if (i32.eqz (call $detect-tee)) (then unreachable)) (call $work)))""")
    )


def component_command(iterations: int) -> bytes:
    """Returns the same command as a component."""
    return bytes(
        wat2wasm(f"""(component
{_IMPORTS}
(core module $Space {_MEMORY})
(core instance $space (instantiate $Space))
(alias core export $space "memory" (core memory $memory))
(alias core export $space "cabi_realloc" (core func $realloc))
{_lowered("detect-tee")}
(core instance $host (export "detect-tee" (func $detect-tee)))
(core module $Main
  (import "host" "detect-tee" (func $detect-tee (param i32)))
  (import "space" "memory" (memory 64))
  {_work(iterations)}
  (func (export "run") (result i32) (call $detect-tee {_AREA}) (call $work) (i32.const 0)))
(core instance $main (instantiate $Main
  (with "host" (instance $host)) (with "space" (instance $space))))
(alias core export $main "run" (core func $run))
(func $lifted (result (result)) (canon lift (core func $run)))
(instance $command (export "run" (func $lifted)))
(export "wasi:cli/run@0.2.3" (instance $command))
)""")
    )


class ComponentGuest:
    """An instance of the component.

    Args:
        linker: a linker that has the world; its engine is used.
    """

    wasm = bytes(wat2wasm(_COMPONENT))

    def __init__(self, linker: component.Linker) -> None:
        self._store = Store(linker.engine)
        code = component.Component(linker.engine, self.wasm)
        self._instance = call_guest(linker.instantiate, self._store, code)

    def load(self, tokens: str) -> None:
        """Puts tokens into the guest's memory, at most `MAX_TOKENS` bytes in all."""
        call_guest(self._export("load"), self._store, tokens)

    def loop(self, name: str, calls: int, length: int = 0, stride: int = 0) -> None:
        """Has the guest call its host.

        Args:
            name: the function of the world.
            calls: how often.
            length: the bytes of one token.
            stride: how far it is from one token to the next.

        Raises:
            WasmtimeError, Trap: the host said no.
        """
        call_guest(self._export(name), self._store, calls, length, stride)

    def _export(self, name: str) -> component.Func:
        function = self._instance.get_func(self._store, name)
        assert function is not None
        return function


class CoreGuest:
    """An instance of the core module; the methods are those of `ComponentGuest`.

    Args:
        linker: a linker that has the world; its engine is used.
    """

    wasm = bytes(wat2wasm(_MODULE))

    def __init__(self, linker: Linker) -> None:
        self._store = Store(linker.engine)
        module = Module(linker.engine, self.wasm)
        self._exports = call_guest(linker.instantiate, self._store, module).exports(self._store)

    def load(self, tokens: str) -> None:
        """Puts tokens into the guest's memory."""
        data = tokens.encode()
        at = self._call("cabi_realloc", 0, 0, 1, len(data)) or 0
        cast("Memory", self._exports["memory"]).write(self._store, data, at)
        self._call("load", at, len(data))

    def loop(self, name: str, calls: int, length: int = 0, stride: int = 0) -> None:
        """Has the guest call its host."""
        self._call(name, calls, length, stride)

    def _call(self, name: str, *arguments: int) -> int | None:
        function = cast("Func", self._exports[name])
        result: int | None = call_guest(function, self._store, *arguments)
        return result
