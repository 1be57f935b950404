"""Components made of core modules, in the engine."""

from __future__ import annotations

import pytest
from wasmtime_attestation_bindgen.component_new import component_new
from wasmtime_attestation_bindgen.component_type.values import custom_section
from wasmtime_attestation_bindgen.link import Features
from wasmtime_attestation_bindgen.resolve import resolve
from wasmtime_attestation_bindgen.source import Source

from tests.bindgen.components import MEMORY, Guest, core, module
from tests.bindgen.payloads import payload
from tests.bindgen.resolving import resolved

GREETER = """
interface words { greet: func(name: string) -> string; unused: func() -> list<u8>; }
world w { import words; import other: func(); export run: func(name: string) -> string; }
"""
GREETER_CORE = f"""
(import "a:b/words@1.2.3" "greet" (func $greet (param i32 i32 i32)))
{MEMORY}
(func (export "run") (param i32 i32) (result i32)
  (call $greet (local.get 0) (local.get 1) (i32.const 16))
  (i32.const 16))
"""


def test_strings_pass_through_the_module() -> None:
    words = {"greet": lambda _, name: f"Hello, {name}!"}
    guest = Guest(module(GREETER, GREETER_CORE), {"a:b/words@1.2.3": words})
    assert guest.call("run", "wörld") == "Hello, wörld!"
    assert guest.call("run", "") == "Hello, !"


def test_only_what_the_module_uses_is_imported() -> None:
    words = {"greet": lambda _, name: name}
    guest = Guest(module(GREETER, GREETER_CORE), {"a:b/words@1.2.3": words})
    assert guest.imports == {"a:b/words@1.2.3"}
    assert guest.exports == {"run"}
    made = component_new(module(GREETER, GREETER_CORE))
    assert b"unused" not in made
    assert b"wasi" not in made


def test_the_module_is_in_it_byte_for_byte() -> None:
    plain = core(GREETER_CORE)
    made = component_new(module(GREETER, GREETER_CORE))
    assert plain in made
    assert made.count(b"wit-component-encoding") == 0


def test_the_same_module_gives_the_same_component() -> None:
    assert component_new(module(GREETER, GREETER_CORE)) == component_new(
        module(GREETER, GREETER_CORE)
    )


def test_the_section_may_stand_anywhere_under_any_name_and_twice() -> None:
    embedded = payload(resolved(GREETER), "w")
    plain = core(GREETER_CORE)
    one = custom_section("component-type:a", embedded)
    two = custom_section("component-type:wit-bindgen:0.4:w", embedded)
    expected = component_new(module(GREETER, GREETER_CORE))
    assert component_new(plain[:8] + one + plain[8:]) == expected
    assert component_new(plain + one + two) == expected


def test_two_worlds_become_one() -> None:
    first = resolved("interface i { f: func() -> u32; } world w { import i; }")
    text = """
    package c:d;
    interface j { g: func() -> u32; }
    world w { import j; export run: func() -> u32; }
    """
    second = resolve([Source("d.wit", text)], [], Features())
    wat = """
    (import "a:b/i@1.2.3" "f" (func $f (result i32)))
    (import "c:d/j" "g" (func $g (result i32)))
    (func (export "run") (result i32) (i32.add (call $f) (call $g)))
    """
    sections = b"".join(
        custom_section(f"component-type:{n}", payload(world, "w"))
        for n, world in enumerate((first, second))
    )
    imports = {"a:b/i@1.2.3": {"f": lambda _: 2}, "c:d/j": {"g": lambda _: 40}}
    assert Guest(core(wat) + sections, imports).call("run") == 42


def test_numbers_pass_without_memory() -> None:
    wit = "world w { import add: func(a: u32, b: s64) -> s64; export run: func(a: u32) -> s64; }"
    wat = """
    (import "$root" "add" (func $add (param i32 i64) (result i64)))
    (func (export "run") (param i32) (result i64)
      (call $add (local.get 0) (i64.const -5)))
    """
    made = module(wit, wat)
    assert Guest(made, {"": {"add": lambda _, a, b: a + b}}).call("run", 3) == -2
    # Nothing has to wait for a memory, so that the module is the only one.
    assert component_new(made).count(b"\0asm\1\0\0\0") == 1


def test_many_parameters_are_passed_in_memory() -> None:
    params = ", ".join(f"p{n}: u32" for n in range(20))
    wit = f"world w {{ import sum: func({params}) -> u32; export run: func({params}) -> u32; }}"
    wat = f"""
    (import "$root" "sum" (func $sum (param i32) (result i32)))
    {MEMORY}
    (func (export "run") (param i32) (result i32) (call $sum (local.get 0)))
    """
    guest = Guest(module(wit, wat), {"": {"sum": lambda _, *numbers: sum(numbers)}})
    assert guest.call("run", *range(20)) == sum(range(20))


def test_strings_of_two_bytes_a_unit() -> None:
    wit = (
        "world w { export run: func(name: string) -> u32; export echo: func(s: string) -> string; }"
    )
    wat = f"""
    {MEMORY}
    (func (export "run") (param i32 i32) (result i32) (local.get 1))
    (func (export "echo") (param i32 i32) (result i32)
      (i32.store (i32.const 16) (local.get 0))
      (i32.store (i32.const 20) (local.get 1))
      (i32.const 16))
    """
    utf_8 = payload(resolved(wit), "w")
    utf_16 = utf_8.replace(b"encoding\4\0", b"encoding\4\1")
    for data, units in ((utf_8, 5), (utf_16, 2)):
        guest = Guest(core(wat) + custom_section("component-type", data))
        assert guest.call("echo", "ø€") == "ø€"
        assert guest.call("run", "ø€") == units


@pytest.mark.parametrize("initialize", ["_initialize", "cm32p2_initialize"])
def test_initialize_runs_first_and_can_call_the_host(initialize: str) -> None:
    wit = "world w { import log: func(s: string); export run: func() -> u32; }"
    wat = f"""
    (import "$root" "log" (func $log (param i32 i32)))
    {MEMORY}
    (data (i32.const 0) "ready")
    (global $set (mut i32) (i32.const 0))
    (func (export "{initialize}")
      (call $log (i32.const 0) (i32.const 5)) (global.set $set (i32.const 7)))
    (func (export "run") (result i32) (global.get $set))
    """
    seen: list[str] = []
    guest = Guest(module(wit, wat), {"": {"log": lambda _, text: seen.append(text)}})
    assert seen == ["ready"]
    assert guest.call("run") == 7


def test_post_return_runs_after_the_result_is_read() -> None:
    wit = "world w { export run: func() -> string; export freed: func() -> u32; }"
    wat = f"""
    {MEMORY}
    (data (i32.const 0) "\\08\\00\\00\\00\\02\\00\\00\\00ok")
    (global $freed (mut i32) (i32.const 0))
    (func (export "run") (result i32) (i32.const 0))
    (func (export "cabi_post_run") (param i32)
      (i32.store8 (i32.const 8) (i32.const 88))
      (global.set $freed (i32.add (global.get $freed) (i32.const 1))))
    (func (export "freed") (result i32) (global.get $freed))
    """
    guest = Guest(module(wit, wat))
    assert guest.call("run") == "ok"
    assert guest.call("freed") == 1


def test_standard_names() -> None:
    wit = """
    interface i { f: func(s: string) -> u32; }
    interface j { g: func() -> string; }
    world w { import i; import n: func() -> u32; export j; export run: func() -> u32; }
    """
    wat = """
    (import "cm32p2|a:b/i@1" "f" (func $f (param i32 i32) (result i32)))
    (import "cm32p2" "n" (func $n (result i32)))
    (memory (export "cm32p2_memory") 1)
    (data (i32.const 0) "\\08\\00\\00\\00\\02\\00\\00\\00hi")
    (global $freed (mut i32) (i32.const 0))
    (func (export "cm32p2_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 64))
    (func (export "cm32p2|a:b/j@1|g") (result i32) (i32.const 0))
    (func (export "cm32p2|a:b/j@1|g_post") (param i32) (global.set $freed (i32.const 100)))
    (func (export "cm32p2||run") (result i32)
      (i32.add (global.get $freed)
        (i32.add (call $f (i32.const 8) (i32.const 2)) (call $n))))
    """
    numbers = {"f": lambda _, s: len(s)}
    guest = Guest(module(wit, wat), {"a:b/i@1.2.3": numbers, "": {"n": lambda _: 40}})
    assert guest.call("run") == 42
    assert guest.call("g", interface="a:b/j@1.2.3") == "hi"
    assert guest.call("run") == 142
