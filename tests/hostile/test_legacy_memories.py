"""Guests without a memory that the legacy ABI can use: every answer is 0."""

from __future__ import annotations

import pytest
from wasmtime import Config, Engine, Linker, Store
from wasmtime_attestation.world.legacy import link_legacy

from tests.world.core_guest import PAGE, PARAMETERS, CoreGuest, forwarder
from tests.world.scripted_world import TOKEN, ScriptedWorld

pytestmark = pytest.mark.usefixtures("either_path")

REALLOC = """
(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
"""
UNUSABLE = {
    "none": "",
    "not exported": "(memory 1)",
    "another name": '(memory (export "mem") 1)',
    "a function": '(func (export "memory"))',
    "a global": '(global (export "memory") i32 (i32.const 0))',
    "a table": '(table (export "memory") 1 funcref)',
    "64-bit": '(memory (export "memory") i64 1)',
    "shared": '(memory (export "memory") 1 2 shared)',
}


@pytest.mark.parametrize("memory", UNUSABLE.values(), ids=UNUSABLE.keys())
def test_unusable_memory(memory: str) -> None:
    config = Config()
    config.wasm_memory64 = True
    config.wasm_threads = True
    config.shared_memory = True
    world = ScriptedWorld()
    guest = CoreGuest(forwarder(memory, REALLOC), world, config=config)
    for name, count in PARAMETERS.items():
        assert guest.call(name, *[0] * count) == 0
    assert world.calls == []
    guest.call("clear_cache")
    assert world.calls == [("clear_cache",)]


def test_memory_at_its_maximum() -> None:
    guest = CoreGuest(forwarder('(memory (export "memory") 2 2)', rest=""), ScriptedWorld())
    assert guest.call("attest_vm") == 0
    assert guest.call("verify_token", *guest.write(0, TOKEN.encode())) == 1


def test_memory_at_its_maximum_with_an_allocator() -> None:
    guest = CoreGuest(forwarder('(memory (export "memory") 1 1)'), ScriptedWorld())
    assert guest.answer("attest_vm")["token"] == TOKEN


def test_memory_at_the_limit_of_its_store() -> None:
    linker = Linker(Engine())
    link_legacy(linker, ScriptedWorld())
    store = Store(linker.engine)
    store.set_limits(memory_size=PAGE)
    guest = CoreGuest(forwarder(rest=""), linker=linker, store=store)
    assert guest.call("attest_vm") == 0
    store.set_limits(memory_size=2 * PAGE)
    assert guest.call("attest_vm") == PAGE


def test_region_above_the_signed_addresses() -> None:
    """Guests in the field take an address for negative and refuse it: better say failure."""
    guest = CoreGuest(forwarder('(memory (export "memory") 32768)', rest=""), ScriptedWorld())
    assert guest.call("attest_vm") == 0
