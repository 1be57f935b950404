"""A `cabi_realloc` that misbehaves: the answer goes elsewhere, or the run ends by name."""

from __future__ import annotations

import threading

import pytest
from wasmtime import Config, Engine, ExitTrap, Linker, Module, Store, Trap, TrapCode, WasiConfig
from wasmtime_attestation.world.legacy import link_legacy

from tests.world.core_guest import MODULE, PAGE, CoreGuest, forwarder
from tests.world.scripted_world import TOKEN, ScriptedWorld

pytestmark = pytest.mark.usefixtures("either_path")

FULL = '(memory (export "memory") 1 1)'


def realloc(body: str, types: str = "(param i32 i32 i32 i32) (result i32)") -> str:
    return f'(func $cabi_realloc (export "cabi_realloc") {types} {body})'


BAD = {
    "traps": realloc("unreachable"),
    "returns 0": realloc("(i32.const 0)"),
    "returns -1": realloc("(i32.const -1)"),
    "returns the smallest signed address": realloc("(i32.const 0x80000000)"),
    "returns the end of memory": realloc("(i32.const 65536)"),
    "returns an address whose block crosses the end": realloc("(i32.const 65534)"),
    "divides by zero": realloc("(i32.div_u (i32.const 1) (i32.const 0))"),
    "overflows the stack": realloc(
        "(call $cabi_realloc (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))"
    ),
    "is missing": "",
    "is a global": '(global (export "cabi_realloc") i32 (i32.const 1024))',
    "is a table": '(table (export "cabi_realloc") 1 funcref)',
    "takes three": realloc("(i32.const 1024)", "(param i32 i32 i32) (result i32)"),
    "takes an i64": realloc("(i32.const 1024)", "(param i32 i32 i32 i64) (result i32)"),
    "returns nothing": realloc("", "(param i32 i32 i32 i32)"),
    "returns an i64": realloc("(i64.const 1024)", "(param i32 i32 i32 i32) (result i64)"),
    "returns two": realloc(
        "(i32.const 1024) (i32.const 0)", "(param i32 i32 i32 i32) (result i32 i32)"
    ),
}


@pytest.mark.parametrize("body", BAD.values(), ids=BAD.keys())
def test_bad_realloc_falls_back_to_the_region(body: str) -> None:
    guest = CoreGuest(forwarder(rest=body), ScriptedWorld())
    assert guest.call("attest_vm") == PAGE
    assert guest.answer("attest_vm")["token"] == TOKEN
    assert guest.size == 2 * PAGE


@pytest.mark.parametrize("body", BAD.values(), ids=BAD.keys())
def test_bad_realloc_in_a_memory_that_cannot_grow(body: str) -> None:
    world = ScriptedWorld()
    guest = CoreGuest(forwarder(FULL, body), world)
    for name in ("detect_tee", "attest_vm", "gpus"):
        assert guest.call(name) == 0
    assert guest.call("verify_token", *guest.write(0, TOKEN.encode())) == 1
    guest.call("clear_cache")
    assert world.calls[-1] == ("clear_cache",)


def test_address_that_grows_into_memory() -> None:
    guest = CoreGuest(
        forwarder(rest=realloc("(drop (memory.grow (i32.const 1))) (i32.const 65536)")),
        ScriptedWorld(),
    )
    assert guest.call("attest_vm") == PAGE
    assert guest.answer("attest_vm")["token"] == TOKEN


CALLS = {
    "detect_tee": "(call $detect_tee)",
    "attest_vm": "(call $attest_vm)",
    "attest_gpu": "(call $attest_gpu (i32.const 0))",
    "verify_token": "(call $verify_token (i32.const 0) (i32.const 1))",
    "gpus": "(call $gpus)",
    "attest": "(call $attest (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 1))",
    "verify": "(call $verify (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 1))",
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_realloc_that_calls_back(call: str) -> None:
    """Each call from within gets 0 and never reaches the world; then the first one succeeds."""
    body = realloc(f"(global.set $inner {call}) (i32.const 1024)")
    seen = """
    (global $inner (mut i32) (i32.const -1))
    (func (export "inner") (result i32) (global.get $inner))
    """
    world = ScriptedWorld(accepted="\0")
    guest = CoreGuest(forwarder(rest=seen + body), world)
    assert guest.answer("attest_vm")["token"] == TOKEN
    assert guest.call("inner") == 0
    assert world.calls == [("attest_vm",)]
    assert guest.call("verify_token", 0, 1) == 1


def test_realloc_that_clears_the_cache() -> None:
    world = ScriptedWorld()
    guest = CoreGuest(forwarder(rest=realloc("(call $clear_cache) (i32.const 1024)")), world)
    assert guest.call("attest_vm") == 1024
    assert world.calls == [("attest_vm",), ("clear_cache",)]


def test_interrupt_from_within_realloc() -> None:
    stop = KeyboardInterrupt()
    world = ScriptedWorld(cleared=stop)
    guest = CoreGuest(forwarder(rest=realloc("(call $clear_cache) (i32.const 1024)")), world)
    with pytest.raises(KeyboardInterrupt) as caught:
        guest.call("attest_vm")
    assert caught.value is stop
    world.cleared = None
    assert guest.answer("attest_vm")["token"] == TOKEN


LOOP = realloc("""
  (if (i32.eqz (i32.load8_u (i32.const 0))) (then (loop $forever (br $forever))))
  (i32.const 1024)
""")


def test_realloc_that_loops_meets_its_deadline() -> None:
    config = Config()
    config.epoch_interruption = True
    guest = CoreGuest(forwarder(rest=LOOP), ScriptedWorld(), config=config)
    guest.store.set_epoch_deadline(1)
    timer = threading.Timer(0.05, guest.store.engine.increment_epoch)
    timer.start()
    with pytest.raises(Trap, match="cabi_realloc") as caught:
        guest.call("attest_vm")
    timer.join()
    assert caught.value.trap_code is TrapCode.INTERRUPT
    guest.store.set_epoch_deadline(1)
    guest.write(0, b"\1")
    assert guest.call("attest_vm") == 1024


def test_realloc_that_burns_its_fuel() -> None:
    config = Config()
    config.consume_fuel = True
    linker = Linker(Engine(config))
    link_legacy(linker, ScriptedWorld())
    store = Store(linker.engine)
    store.set_fuel(10_000)
    guest = CoreGuest(forwarder(rest=LOOP), linker=linker, store=store)
    with pytest.raises(Trap, match="cabi_realloc") as caught:
        guest.call("attest_vm")
    assert caught.value.trap_code is TrapCode.OUT_OF_FUEL
    store.set_fuel(10_000)
    guest.write(0, b"\1")
    assert guest.call("attest_vm") == 1024


def test_realloc_that_exits_ends_the_run() -> None:
    linker = Linker(Engine())
    linker.define_wasi()
    link_legacy(linker, ScriptedWorld())
    store = Store(linker.engine)
    store.set_wasi(WasiConfig())
    text = forwarder(rest=realloc("(call $exit (i32.const 7)) unreachable"))
    imported = '(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))'
    guest = CoreGuest(text.replace("(module", imported, 1), linker=linker, store=store)
    with pytest.raises(ExitTrap) as caught:
        guest.call("attest_vm")
    assert caught.value.code == 7


def test_two_instances_that_call_each_other_from_realloc() -> None:
    """The recursion ends at an instance whose allocation is in progress."""
    world = ScriptedWorld()
    linker = Linker(Engine())
    link_legacy(linker, world)
    store = Store(linker.engine)
    table = Module(linker.engine, '(module (table (export "t") 2 funcref))')
    linker.define_instance(store, "shared", linker.instantiate(store, table))

    def instance(own: int, other: int) -> CoreGuest:
        body = f"""
        (import "{MODULE}" "detect_tee" (func $detect_tee (result i32)))
        (import "shared" "t" (table 2 funcref))
        (memory (export "memory") 1)
        (type $call (func (result i32)))
        (func $call (export "call") (result i32) (call $detect_tee))
        (elem (i32.const {own}) $call)
        {realloc(f"(drop (call_indirect (type $call) (i32.const {other}))) (i32.const 1024)")}
        """
        return CoreGuest(f"(module {body})", linker=linker, store=store)

    first = instance(0, 1)
    instance(1, 0)
    assert first.call("call") == 1024
    assert world.calls == [("detect_tee",), ("detect_tee",)]
