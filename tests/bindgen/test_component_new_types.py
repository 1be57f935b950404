"""Types with names and resources in components made of core modules."""

from __future__ import annotations

from typing import Any

from wasmtime.component import Record
from wasmtime_attestation_bindgen.component_new import component_new

from tests.bindgen.components import MEMORY, Guest, module

COUNTER = """
interface counters {
  resource counter {
    constructor(start: u32);
    add: func(n: u32) -> u32;
    make: static func() -> counter;
  }
  consume: func(c: counter) -> u32;
}
world w { import dropped: func(at: u32); export counters; }
"""
COUNTERS = "a:b/counters@1.2.3"
COUNTER_CORE = f"""
(import "$root" "dropped" (func $dropped (param i32)))
(import "[export]{COUNTERS}" "[resource-new]counter" (func $new (param i32) (result i32)))
(import "[export]{COUNTERS}" "[resource-rep]counter" (func $rep (param i32) (result i32)))
(import "[export]{COUNTERS}" "[resource-drop]counter" (func $drop (param i32)))
{MEMORY}
(global $at (mut i32) (i32.const 256))
(func $make (param i32) (result i32)
  (global.set $at (i32.add (global.get $at) (i32.const 4)))
  (i32.store (global.get $at) (local.get 0))
  (call $new (global.get $at)))
(func (export "{COUNTERS}#[constructor]counter") (param i32) (result i32)
  (call $make (local.get 0)))
(func (export "{COUNTERS}#[static]counter.make") (result i32) (call $make (i32.const 100)))
(func (export "{COUNTERS}#[method]counter.add") (param i32 i32) (result i32)
  (i32.store (local.get 0) (i32.add (i32.load (local.get 0)) (local.get 1)))
  (i32.load (local.get 0)))
(func (export "{COUNTERS}#consume") (param i32) (result i32)
  (i32.load (call $rep (local.get 0)))
  (call $drop (local.get 0)))
(func (export "{COUNTERS}#[dtor]counter") (param i32) (call $dropped (i32.load (local.get 0))))
"""


def test_a_resource_that_the_module_implements() -> None:
    gone: list[int] = []
    guest = Guest(module(COUNTER, COUNTER_CORE), {"": {"dropped": lambda _, n: gone.append(n)}})
    counter = guest.call("[constructor]counter", 5, interface=COUNTERS)
    assert guest.call("[method]counter.add", counter, 2, interface=COUNTERS) == 7
    assert guest.call("[method]counter.add", counter, 10, interface=COUNTERS) == 17
    other = guest.call("[static]counter.make", interface=COUNTERS)
    assert gone == []
    assert guest.call("consume", counter, interface=COUNTERS) == 17
    assert gone == [17]
    other.drop(guest.store)
    assert gone == [17, 100]


def test_interfaces_that_share_types_on_both_sides() -> None:
    wit = """
    interface types { enum color { red, green } record pixel { x: u8, color: color } }
    interface paint { use types.{pixel, color as shade}; brush: func(p: pixel) -> shade; }
    interface brushes {
      use types.{pixel};
      record brush { p: pixel }
      best: func(p: pixel) -> list<brush>;
    }
    world w { import paint; export brushes; export inline: interface {
      use paint.{shade}; next: func(s: shade) -> shade; } }
    """
    wat = f"""
    (import "a:b/paint@1.2.3" "brush" (func $brush (param i32 i32) (result i32)))
    {MEMORY}
    (func (export "a:b/brushes@1.2.3#best") (param i32 i32) (result i32)
      (i32.store8 (i32.const 32) (local.get 0))
      (i32.store8 (i32.const 33) (call $brush (local.get 0) (local.get 1)))
      (i32.store (i32.const 16) (i32.const 32))
      (i32.store (i32.const 20) (i32.const 1))
      (i32.const 16))
    (func (export "inline#next") (param i32) (result i32) (i32.sub (i32.const 1) (local.get 0)))
    """
    seen: list[tuple[int, str]] = []

    def brush(_: object, pixel: Any) -> str:  # noqa: ANN401 - wasmtime's record has any fields
        seen.append((pixel.x, pixel.color))
        return "green"

    pixel = Record()
    vars(pixel).update(x=9, color="red")
    guest = Guest(module(wit, wat), {"a:b/types@1.2.3": {}, "a:b/paint@1.2.3": {"brush": brush}})
    (best,) = guest.call("best", pixel, interface="a:b/brushes@1.2.3")
    assert seen == [(9, "red")]
    assert (best.p.x, best.p.color) == (9, "green")
    assert guest.call("next", "green", interface="inline") == "red"


def test_types_of_interfaces_stay_where_they_are_needed() -> None:
    wit = """
    interface types { record used { a: u8 } record unused { b: u8 } }
    interface i { use types.{used, unused}; f: func(u: used); g: func(u: unused); }
    world w { import i; }
    """
    made = component_new(module(wit, '(import "a:b/i@1.2.3" "f" (func (param i32)))'))
    assert made.count(b"\x04used") > 0
    assert b"unused" not in made


def test_a_world_that_is_not_used_at_all() -> None:
    wit = "interface i { f: func(); } world w { import i; }"
    guest = Guest(module(wit, ""))
    assert guest.imports == set()
    assert guest.exports == set()


def test_one_interface_twice_under_labels() -> None:
    wit = """
    interface i { f: func() -> u32; resource r; }
    world w { import one: i; import two: i; export run: func() -> u32; }
    """
    wat = """
    (import "one" "f" (func $one (result i32)))
    (import "two" "f" (func $two (result i32)))
    (func (export "run") (result i32) (i32.sub (call $one) (call $two)))
    """
    made = component_new(module(wit, wat))
    assert made.count(b"\x03one") > 0
