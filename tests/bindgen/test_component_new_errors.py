"""Core modules that no component can be made of; each error says what to do."""

from __future__ import annotations

import pytest
from wasmtime import Engine
from wasmtime.component import Component
from wasmtime_attestation_bindgen.component_new import component_new
from wasmtime_attestation_bindgen.component_new.module import LARGEST_MODULE
from wasmtime_attestation_bindgen.component_type.values import custom_section
from wasmtime_attestation_bindgen.errors import ModuleError

from tests.bindgen.components import MEMORY, core, module
from tests.bindgen.payloads import payload
from tests.bindgen.resolving import resolved

WORLD = """
interface i { f: func(s: string) -> list<u8>; resource r; }
world w { import i; export i; export run: func(n: u64) -> u32; }
"""
F = '(import "a:b/i@1.2.3" "f" (func (param i32 i32 i32)))'
EXPORTS = """
(func (export "a:b/i@1.2.3#f") (param i32 i32) (result i32) (i32.const 0))
(func (export "run") (param i64) (result i32) (i32.const 0))
"""
COMPLETE = f"{F} {MEMORY} {EXPORTS}"


def refusal(data: bytes) -> str:
    with pytest.raises(ModuleError) as caught:
        component_new(data)
    assert caught.value.exit_code == 4
    return caught.value.render()


def test_the_complete_module_is_fine() -> None:
    Component(Engine(), component_new(module(WORLD, COMPLETE)))


@pytest.mark.parametrize(
    ("wat", "message"),
    [
        (COMPLETE.replace('"f"', '"g"', 1), "imports `g` from `a:b/i@1.2.3`"),
        (COMPLETE.replace("@1.2.3", "@2.0.0", 1), "imports `f` from `a:b/i@2.0.0`"),
        (
            COMPLETE.replace("i32 i32 i32", "i32 i32", 1),
            r"(i32 i32) -> (), its world says (i32 i32 i32)",
        ),
        (COMPLETE.replace('"run"', '"walk"'), "does not export `run`"),
        (COMPLETE.replace("i64", "i32"), "`run` has the core type (i32) -> (i32)"),
        (COMPLETE.replace('"memory"', '"ram"'), "no memory `memory`, which `f` needs"),
        (COMPLETE.replace('"cabi_realloc"', '"malloc"'), "no function `cabi_realloc`"),
        (f'{COMPLETE} (func (export "cabi_post_run"))', "`cabi_post_run` has the core type"),
        (
            f'{COMPLETE} (func (export "_initialize") (param i32))',
            "`_initialize` has the core type",
        ),
        (f'{COMPLETE} (func (export "a:b/i@1.2.3#[dtor]r"))', "[dtor]r` has the core type"),
        (
            '(import "a:b/i@1.2.3" "[resource-new]r" (func (param i32) (result i32)))' + EXPORTS,
            "imports `[resource-new]r`",
        ),
        (
            '(import "[export]a:b/i@1.2.3" "[resource-new]r" (func (param i32)))' + EXPORTS,
            "`[resource-new]r` from `[export]a:b/i@1.2.3` has the core type",
        ),
        ('(import "env" "memory" (memory 1))', "which is no function"),
        (
            '(import "wasi_snapshot_preview1" "sched_yield" (func (result i32)))',
            "wasm32-unknown-unknown",
        ),
        ('(import "wasmtime_attestation" "detect_tee" (func (result i32)))', "the legacy ABI"),
    ],
)
def test_what_does_not_go_with_the_world(wat: str, message: str) -> None:
    assert message in refusal(module(WORLD, wat))


def test_what_is_no_core_module() -> None:
    assert "no WebAssembly module" in refusal(b"")
    assert "no WebAssembly module" in refusal(b"\x7fELF" * 4)
    assert "a component already" in refusal(component_new(module(WORLD, COMPLETE)))
    assert "no `component-type` section" in refusal(core(COMPLETE))
    assert f"more than {LARGEST_MODULE} bytes" in refusal(bytes(LARGEST_MODULE + 1))
    assert "the module is invalid" in refusal(module(WORLD, '(func (export "run") (result i32))'))


def test_payloads_that_a_linker_spoilt() -> None:
    embedded = payload(resolved(WORLD), "w")
    plain = core(COMPLETE)

    def with_section(contents: bytes) -> bytes:
        return plain + custom_section("component-type", contents)

    assert "several payloads" in refusal(with_section(embedded + embedded))
    assert "malformed" in refusal(with_section(embedded + bytes(4)))
    assert "malformed" in refusal(with_section(b""))
    no_version = embedded.replace(b"encoding\4\0", b"encoding\5\0")
    assert "no known version" in refusal(with_section(no_version))
    no_encoding = embedded.replace(b"wit-component-encoding", b"wit-component-encodinG")
    assert "no known version" in refusal(with_section(no_encoding))
    utf_16 = custom_section("component-type", embedded.replace(b"encoding\4\0", b"encoding\4\1"))
    assert "disagree" in refusal(with_section(embedded) + utf_16)


def test_worlds_that_need_other_tools() -> None:
    data = module("world w { import f: func() -> stream<u8>; }", "")
    assert "a stream" in refusal(data)
    assert "wasm-tools component new" in refusal(data)


def test_types_that_would_fill_all_memory() -> None:
    named = " ".join(f"record r{n + 1} {{ a: r{n}, b: r{n} }}" for n in range(60))
    for types, last in (
        ("type t1 = list<u8, 4294967295>;", "t1"),
        (f"record r0 {{ a: u8 }} {named}", "r60"),
    ):
        wit = f"interface i {{ {types} f: func(a: {last}); }} world w {{ import i; }}"
        assert "core values" in refusal(module(wit, ""))


def test_types_that_nest_as_deep_as_engines_take_and_deeper() -> None:
    def nested(levels: int) -> bytes:
        records = " ".join(f"record r{n + 1} {{ a: r{n} }}" for n in range(levels - 1))
        wit = f"""
        interface i {{ f: func(x: r{levels - 1}); record r0 {{ a: u8 }} {records} }}
        world w {{ import i; export i; }}
        """
        function = "(func (param i32))"
        exported = '(func (export "a:b/i@1.2.3#f") (param i32))'
        return module(wit, f'(import "a:b/i@1.2.3" "f" {function}) {exported}')

    Component(Engine(), component_new(nested(96)))
    assert "`r96` has more than 96 levels" in refusal(nested(97))


def test_types_without_members() -> None:
    wit = "interface i { record nothing {} f: func(a: nothing); } world w { import i; }"
    assert "`nothing` has no members" in refusal(module(wit, ""))
    labels = ", ".join(f"flag-{n}" for n in range(33))
    wit = f"interface i {{ flags many {{ {labels} }} f: func(a: many); }} world w {{ import i; }}"
    assert "more than 32 flags" in refusal(module(wit, ""))


def test_every_truncation_is_refused_or_complete() -> None:
    data = module(WORLD, COMPLETE)
    for length in range(len(data)):
        assert refusal(data[:length])


def test_no_change_of_a_byte_is_anything_but_an_error_or_a_component() -> None:
    data = module(WORLD, COMPLETE)
    engine, made = Engine(), 0
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 1 << at % 8
        try:
            component = component_new(bytes(changed))
        except ModuleError:
            continue
        Component(engine, component)
        made += 1
    # Changes of constants and of names that nothing looks at.
    assert 0 < made < len(data) // 2
