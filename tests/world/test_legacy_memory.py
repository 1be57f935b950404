"""Where answers go: the guest's allocator first, the host's own region otherwise."""

from __future__ import annotations

from ctypes import addressof

import pytest
from wasmtime import Config, Engine, FuncType, Linker, Module, Store, ValType
from wasmtime_attestation.world import core_definition
from wasmtime_attestation.world.core_calls import Caller
from wasmtime_attestation.world.legacy import link_legacy
from wasmtime_attestation.world.memory import FAILURE, MAX_REGIONS, REGION_SIZE, GuestMemories

from tests.world.core_guest import PAGE, CoreGuest, forwarder
from tests.world.scripted_world import NOTHING, SNP, TOKEN, ScriptedWorld

pytestmark = pytest.mark.usefixtures("either_path")

NO_REALLOC = ""


def test_answers_go_where_cabi_realloc_says() -> None:
    guest = CoreGuest(forwarder(), ScriptedWorld())
    first = guest.call("detect_tee")
    assert first == 32_768
    assert guest.call("detect_tee") == first + 4 + len(guest.bytes_at(first))
    assert guest.size == PAGE


def test_cabi_realloc_is_asked_for_bytes_without_alignment() -> None:
    """`cabi_realloc(0, 0, 1, 4 + n)`: anything else returns 0 here, and memory grows."""
    strict = """
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
      (i32.mul (i32.const 4096)
        (i32.and (i32.eqz (i32.or (local.get 0) (local.get 1)))
          (i32.and (i32.eq (local.get 2) (i32.const 1))
            (i32.eq (local.get 3) (i32.load (i32.const 0)))))))
    """
    guest = CoreGuest(forwarder(rest=strict), ScriptedWorld())
    size = len('{"tee_type":"AMD SEV-SNP","supports_attestation":true,')
    size += len('"provider":"configfs-tsm","gpu_count":1}')
    guest.write(0, (4 + size).to_bytes(4, "little"))
    assert guest.call("detect_tee") == 4096


def test_region_is_made_once_at_the_end_of_memory() -> None:
    guest = CoreGuest(forwarder(rest=NO_REALLOC), ScriptedWorld())
    before = bytes(guest.memory.read(guest.store))
    assert guest.call("detect_tee") == PAGE
    assert guest.call("attest_vm") == PAGE
    assert guest.answer("attest_vm")["token"] == TOKEN
    assert guest.size == 2 * PAGE
    assert guest.memory.read(guest.store, 0, PAGE) == before


def test_region_stays_when_the_guest_grows_its_memory() -> None:
    guest = CoreGuest(forwarder(rest=NO_REALLOC), ScriptedWorld())
    address = guest.call("detect_tee")
    guest.memory.grow(guest.store, 3)
    assert guest.call("detect_tee") == address
    assert guest.size == 5 * PAGE


def test_region_of_a_memory_that_is_empty() -> None:
    guest = CoreGuest(forwarder('(memory (export "memory") 0)', NO_REALLOC), ScriptedWorld())
    assert guest.answer("attest_vm")["token"] == TOKEN


def test_region_of_a_memory_with_small_pages() -> None:
    config = Config()
    config.wasm_custom_page_sizes = True
    memory = '(memory (export "memory") 10 (pagesize 1))'
    guest = CoreGuest(forwarder(memory, NO_REALLOC), ScriptedWorld(), config=config)
    assert guest.call("attest_vm") == 10
    assert guest.answer("attest_vm")["token"] == TOKEN
    assert guest.size == 10 + PAGE


def shared_linker(world: ScriptedWorld) -> Linker:
    linker = Linker(Engine())
    link_legacy(linker, world)
    return linker


@pytest.mark.parametrize("one_store", [True, False])
def test_each_instance_has_its_own_region(one_store: bool) -> None:
    world = ScriptedWorld(tee=SNP)
    linker = shared_linker(world)
    store = Store(linker.engine) if one_store else None
    small, large = (
        CoreGuest(
            forwarder(f'(memory (export "memory") {pages})', NO_REALLOC), linker=linker, store=store
        )
        for pages in (1, 4)
    )
    first = small.call("detect_tee")
    world.tee = NOTHING
    second = large.call("detect_tee")
    assert (first, second) == (PAGE, 4 * PAGE)
    assert b"SNP" in small.bytes_at(first)
    assert b"None" in large.bytes_at(second)
    assert small.call("detect_tee") == first


def test_an_instance_that_was_forgotten_gets_another_region() -> None:
    linker = shared_linker(ScriptedWorld())
    module = Module(linker.engine, forwarder(rest=NO_REALLOC))
    first = CoreGuest(module, linker=linker)
    assert first.call("detect_tee") == PAGE
    for _ in range(MAX_REGIONS):
        CoreGuest(module, linker=linker).call("detect_tee")
    assert first.call("detect_tee") == 2 * PAGE
    assert first.answer("attest_vm")["token"] == TOKEN


def test_memory_that_moves_when_it_grows() -> None:
    """The host keeps no address of its own: growth within `cabi_realloc` moves everything."""
    config = Config()
    config.memory_reservation = 0
    config.memory_reservation_for_growth = 0
    config.memory_guard_size = 0
    growing = """
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
      (i32.mul (i32.const 65536) (memory.grow (i32.const 64))))
    """
    guest = CoreGuest(forwarder(rest=growing), ScriptedWorld(), config=config)
    bases = set()
    for round_ in range(4):
        bases.add(addressof(guest.memory.data_ptr(guest.store).contents))
        address = guest.call("attest_vm")
        assert address == PAGE * (1 + 64 * round_)
        assert TOKEN.encode() in guest.bytes_at(address)
    assert len(bases) > 1


@pytest.mark.parametrize(("size", "placed"), [(REGION_SIZE - 12, True), (REGION_SIZE - 11, False)])
def test_region_never_spills_into_the_guest(size: int, placed: bool) -> None:
    """What the guest adds to its memory after the region is the guest's."""
    memories, linker, i32 = GuestMemories(), Linker(Engine()), ValType.i32()

    def place(caller: Caller, count: int) -> int:
        guest = memories.of(caller)
        assert guest is not None
        return guest.place(bytes(4) + b"x" * count)

    core_definition.define(linker, "host", "place", FuncType([i32], [i32]), place)
    text = """(module
      (import "host" "place" (func $place (param i32) (result i32)))
      (memory (export "memory") 1)
      (func (export "place") (param i32) (result i32) (call $place (local.get 0))))
    """
    guest = CoreGuest(text, linker=linker)
    assert guest.call("place", 1) == PAGE
    guest.memory.grow(guest.store, 1)
    assert guest.call("place", size) == (PAGE if placed else FAILURE)
    assert guest.memory.read(guest.store, 2 * PAGE) == bytes(PAGE)
