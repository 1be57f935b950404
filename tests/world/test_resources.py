"""Resources of the host in the hands of a guest, and of a guest in the hands of the host."""

from __future__ import annotations

import gc
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from wasmtime import Engine, Store, WasmtimeError, wat2wasm
from wasmtime.component import Component, Linker
from wasmtime_attestation.world.binding import handles
from wasmtime_attestation.world.binding.failure import Failure
from wasmtime_attestation.world.binding.imports import check_imports
from wasmtime_attestation_bindgen.component_new import component_new
from wasmtime_attestation_bindgen.component_type import component_type

from tests.bindgen import hosts

WIT = Path(__file__).parent / "wit" / "objects.wit"
I = "t:objects/counters@0.1.0"  # noqa: E741 - stands in WebAssembly text

MEMORY = """
(memory (export "memory") 1)
(global $next (mut i32) (i32.const 4096))
(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (local $at i32)
  (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
  (global.set $next (i32.add (local.get $at) (local.get 3)))
  (local.get $at))
"""
# run: a = new(start), a.next(1) twice; a absorbs make(start) and is dropped; two(start) end;
# the sum of all answers. leak: makes counters and drops none.
USER = f"""(module
(import "{I}" "[constructor]counter" (func $new (param i32) (result i32)))
(import "{I}" "[method]counter.next" (func $step (param i32 i32) (result i32)))
(import "{I}" "[static]counter.make" (func $make (param i32 i32)))
(import "{I}" "[method]counter.absorb" (func $absorb (param i32 i32) (result i32)))
(import "{I}" "peek" (func $peek (param i32) (result i32)))
(import "{I}" "two" (func $two (param i32 i32)))
(import "{I}" "end" (func $end (param i32) (result i32)))
(import "{I}" "[resource-drop]counter" (func $drop (param i32)))
{MEMORY}
(func (export "leak") (param $count i32)
  (loop $again
    (drop (call $new (local.get $count)))
    (local.set $count (i32.sub (local.get $count) (i32.const 1)))
    (br_if $again (local.get $count))))
(func (export "run") (param $start i32) (result i32) (local $a i32) (local $b i32) (local $sum i32)
  (local.set $a (call $new (local.get $start)))
  (local.set $sum (call $step (local.get $a) (i32.const 1)))
  (local.set $sum (i32.add (local.get $sum) (call $step (local.get $a) (i32.const 1))))
  (call $make (local.get $start) (i32.const 1024))
  (if (i32.load8_u (i32.const 1024)) (then unreachable))
  (local.set $b (i32.load (i32.const 1028)))
  (if (i32.ne (call $peek (local.get $b)) (local.get $start)) (then unreachable))
  (local.set $sum (i32.add (local.get $sum) (call $absorb (local.get $a) (local.get $b))))
  (call $drop (local.get $a))
  (call $two (local.get $start) (i32.const 1024))
  (local.set $sum (i32.add (local.get $sum) (call $end (i32.load (i32.const 1024)))))
  (if (i32.load8_u (i32.const 1028))
    (then (local.set $sum (i32.add (local.get $sum) (call $end (i32.load (i32.const 1032)))))))
  (local.get $sum)))
"""
# A counter is the address of its number. The global counts those that are dropped.
MAKER = f"""(module
(import "[export]{I}" "[resource-new]counter" (func $handle (param i32) (result i32)))
(import "[export]{I}" "[resource-rep]counter" (func $rep (param i32) (result i32)))
(import "[export]{I}" "[resource-drop]counter" (func $drop (param i32)))
{MEMORY}
(global $at (mut i32) (i32.const 8192))
(func $make (param $start i32) (result i32)
  (global.set $at (i32.add (global.get $at) (i32.const 8)))
  (i32.store (global.get $at) (local.get $start))
  (call $handle (global.get $at)))
(func (export "{I}#[constructor]counter") (param i32) (result i32) (call $make (local.get 0)))
(func (export "{I}#[dtor]counter") (param $at i32)
  (i32.store (i32.const 8192) (i32.add (i32.load (i32.const 8192)) (i32.const 1))))
(func (export "{I}#[method]counter.next") (param $at i32) (param $step i32) (result i32)
  (i32.store (local.get $at) (i32.add (i32.load (local.get $at)) (local.get $step)))
  (i32.load (local.get $at)))
(func (export "{I}#[static]counter.make") (param $start i32) (result i32)
  (if (local.get $start)
    (then
      (i32.store8 (i32.const 1024) (i32.const 0))
      (i32.store (i32.const 1028) (call $make (local.get $start))))
    (else
      (i32.store8 (i32.const 1024) (i32.const 1))
      (i32.store8 (i32.const 2048) (i32.const 48))
      (i32.store (i32.const 1028) (i32.const 2048))
      (i32.store (i32.const 1032) (i32.const 1))))
  (i32.const 1024))
(func (export "{I}#[method]counter.absorb") (param $at i32) (param $other i32) (result i32)
  (i32.store (local.get $at)
    (i32.add (i32.load (local.get $at)) (i32.load (call $rep (local.get $other)))))
  (i32.load (local.get $at)))
(func (export "{I}#peek") (param $at i32) (result i32) (i32.load (local.get $at)))
(func (export "{I}#two") (param $start i32) (result i32)
  (i32.store (i32.const 1024) (call $make (local.get $start)))
  (i32.store8 (i32.const 1028) (i32.const 1))
  (i32.store (i32.const 1032) (call $make (local.get $start)))
  (i32.const 1024))
(func (export "{I}#end") (param $counter i32) (result i32) (local $number i32)
  (local.set $number (i32.load (call $rep (local.get $counter))))
  (call $drop (local.get $counter))
  (i32.add (local.get $number) (i32.mul (i32.const 1000) (i32.load (i32.const 8192))))))
"""


def component(text: str, world: str) -> bytes:
    payload = "".join(f"\\{byte:02x}" for byte in component_type(*hosts.read(WIT, world)))
    custom = f'(@custom "component-type" "{payload}"))'
    return component_new(bytes(wat2wasm(text.rstrip().removesuffix(")") + custom)))


@dataclass
class Counter:
    number: int

    def next(self, step: int) -> int:
        self.number += step
        return self.number

    def absorb(self, other: Counter) -> int:
        return self.next(other.number)


@dataclass
class Counters:
    types: ModuleType
    made: list[Counter] = field(default_factory=list)
    dropped: list[Counter] = field(default_factory=list)
    right: bool = True

    def new_counter(self, start: int) -> Counter:
        self.made.append(Counter(start))
        return self.made[-1]

    def counter_make(self, start: int) -> Counter:
        if start == 666:
            raise Failure("no such counter")
        return self.new_counter(start)

    def two(self, start: int) -> Any:  # noqa: ANN401 - a generated class
        right = self.new_counter(start * 10) if self.right else None
        return self.types.Pair(self.new_counter(start), right)

    def peek(self, counter: Counter) -> int:
        return counter.number

    def end(self, last: Counter) -> int:
        return last.number

    def drop_counter(self, dropped: Counter) -> None:
        self.dropped.append(dropped)


@pytest.fixture(scope="module")
def user(tmp_path_factory: pytest.TempPathFactory) -> tuple[ModuleType, ModuleType]:
    return hosts.imported(WIT, tmp_path_factory.mktemp("user"), "user")


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    return hosts.imported(WIT, tmp_path_factory.mktemp("maker"), "maker")[1]


@pytest.fixture(scope="module", params=[True, False], ids=["fast", "wasmtime-py"])
def fast(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def start(user: tuple[ModuleType, ModuleType], counters: Counters, *, fast: bool) -> Any:  # noqa: ANN401
    engine = Engine()
    code = Component(engine, component(USER, "user"))
    check_imports(engine, code, user[1].IMPORTS)
    with Linker(engine) as linker:
        user[1].link_imports(linker, counters=counters, fast=fast)
        store = Store(engine)
        return user[1].User(store, linker.instantiate(store, code))


@pytest.mark.parametrize("right", [True, False])
def test_a_guest_uses_resources_of_its_host(
    user: tuple[ModuleType, ModuleType], *, fast: bool, right: bool
) -> None:
    counters = Counters(user[0], right=right)
    guest = start(user, counters, fast=fast)
    # 6 + 7 from the first one, 12 with the second one in it, 5 and perhaps 50 from the pair.
    assert guest.run(5) == 30 + 50 * right
    # It dropped the first one alone: all others it gave back.
    assert [id(counter) for counter in counters.dropped] == [id(counters.made[0])]
    assert guest.run(100) == 505 + 1000 * right


def test_a_guest_holds_a_bounded_number_of_resources(
    user: tuple[ModuleType, ModuleType], monkeypatch: pytest.MonkeyPatch, *, fast: bool
) -> None:
    monkeypatch.setattr(handles, "MAX_HANDLES", 10)
    guest = start(user, Counters(user[0]), fast=fast)
    guest.leak(10)
    with pytest.raises(OverflowError, match="holds 10 resources"):
        guest.leak(1)


def test_an_exception_in_a_destructor_comes_out(
    user: tuple[ModuleType, ModuleType], *, fast: bool
) -> None:
    error = KeyboardInterrupt()

    class Failing(Counters):
        def drop_counter(self, dropped: Counter) -> None:
            raise error if dropped.number else AssertionError

    with pytest.raises(KeyboardInterrupt) as caught:
        start(user, Failing(user[0]), fast=fast).run(1)
    assert caught.value is error


@pytest.fixture
def counters(maker: ModuleType) -> Any:  # noqa: ANN401 - a generated class
    engine = Engine()
    store = Store(engine)
    code = Component(engine, component(MAKER, "maker"))
    return maker.Counters(store, Linker(engine).instantiate(store, code))


def test_a_host_uses_resources_of_a_guest(counters: Any) -> None:  # noqa: ANN401
    counter, other = counters.new_counter(7), counters.counter_make(8)
    assert (counter.next(1), counter.next(2), other.next(1)) == (8, 10, 9)
    assert counters.peek(counter) == 10
    assert counter.absorb(other) == 19
    with pytest.raises(ValueError, match="given away"):
        other.next(1)
    with pytest.raises(Failure) as caught:
        counters.counter_make(0)
    assert caught.value.error == "0"
    pair = counters.two(3)
    assert (pair.left.next(1), pair.right.next(2)) == (4, 5)


def test_a_resource_that_is_given_away_or_dropped_is_gone(counters: Any) -> None:  # noqa: ANN401
    with counters.new_counter(1) as counter:
        assert counter.next(1) == 2
    with pytest.raises(ValueError, match="this Counter is dropped or was given away"):
        counter.next(1)
    with pytest.raises(ValueError, match="this Counter is dropped or was given away"):
        counters.end(counter)
    counter.drop()
    given = counters.new_counter(5)
    assert counters.end(given) == 2005  # it is the second one whose destructor ran
    with pytest.raises(ValueError, match="given away"):
        given.next(1)
    last = counters.new_counter(6)
    assert counters.end(last) == 3006


def test_handles_that_nobody_drops_harm_nobody(counters: Any) -> None:  # noqa: ANN401
    for number in range(50):
        counters.new_counter(number)
    gc.collect()
    assert counters.new_counter(1).next(1) == 2


def test_a_trap_ends_the_instance(counters: Any) -> None:  # noqa: ANN401
    counter = counters.new_counter(1)
    with pytest.raises((WasmtimeError, TypeError, ValueError)):
        counter.next("one")
    assert counter.next(1) == 2
