"""Sizes, alignments and flat forms; expected values by hand from CanonicalABI.md."""

from __future__ import annotations

import pytest
from wasmtime_attestation_bindgen.layout import CoreSignature, Layout
from wasmtime_attestation_bindgen.model import Function

from tests.bindgen.resolving import interface, resolved

CASES_257 = ", ".join(f"c{n}" for n in range(257))
FLAGS = {n: ", ".join(f"f{i}" for i in range(n)) for n in (1, 8, 9, 16, 17, 32)}


@pytest.mark.parametrize(
    ("definition", "size", "alignment", "flat"),
    [
        ("type t = bool;", 1, 1, "i32"),
        ("type t = u16;", 2, 2, "i32"),
        ("type t = s64;", 8, 8, "i64"),
        ("type t = f32;", 4, 4, "f32"),
        ("type t = f64;", 8, 8, "f64"),
        ("type t = char;", 4, 4, "i32"),
        ("type t = string;", 8, 4, "i32 i32"),
        ("type t = list<u64>;", 8, 4, "i32 i32"),
        ("type t = map<string, u8>;", 8, 4, "i32 i32"),
        ("type t = list<u16, 3>;", 6, 2, "i32 i32 i32"),
        ("record t { a: u8, b: u64, c: u8 }", 24, 8, "i32 i64 i32"),
        ("record t { a: u8, b: u16, c: u8 }", 6, 2, "i32 i32 i32"),
        ("type t = tuple<u8, string>;", 12, 4, "i32 i32 i32"),
        ("enum t { a }", 1, 1, "i32"),
        (f"enum t {{ {CASES_257} }}", 2, 2, "i32"),
        (f"flags t {{ {FLAGS[1]} }}", 1, 1, "i32"),
        (f"flags t {{ {FLAGS[8]} }}", 1, 1, "i32"),
        (f"flags t {{ {FLAGS[9]} }}", 2, 2, "i32"),
        (f"flags t {{ {FLAGS[16]} }}", 2, 2, "i32"),
        (f"flags t {{ {FLAGS[17]} }}", 4, 4, "i32"),
        (f"flags t {{ {FLAGS[32]} }}", 4, 4, "i32"),
        ("type t = option<u8>;", 2, 1, "i32 i32"),
        ("type t = option<u64>;", 16, 8, "i32 i64"),
        ("type t = result;", 1, 1, "i32"),
        ("type t = result<u8, f32>;", 8, 4, "i32 i32"),
        ("type t = result<f32, f64>;", 16, 8, "i32 i64"),
        ("type t = result<_, string>;", 12, 4, "i32 i32 i32"),
        ("variant t { a, b(f32), c(u32) }", 8, 4, "i32 i32"),
        ("variant t { a(f32), b(f32) }", 8, 4, "i32 f32"),
        ("variant t { a(f64), b(s64), c(tuple<u8, f32>) }", 16, 8, "i32 i64 f32"),
        ("variant t { a(string), b(u64) }", 16, 8, "i32 i64 i32"),
        ("resource r; type t = own<r>;", 4, 4, "i32"),
        ("resource r; type t = borrow<r>;", 4, 4, "i32"),
    ],
)
def test_sizes_alignments_and_flat_forms(
    definition: str, size: int, alignment: int, flat: str
) -> None:
    model = resolved(f"interface i {{ {definition} }}")
    layout, type_ = Layout(model), interface(model, "i").types["t"]
    assert (layout.size(type_), layout.alignment(type_)) == (size, alignment)
    assert " ".join(layout.flat(type_)) == flat


def test_where_members_and_payloads_begin() -> None:
    model = resolved("interface i { type s = string; type a = u64; }")
    layout, types = Layout(model), interface(model, "i").types
    assert layout.offsets([types["s"], types["a"], types["s"]]) == (0, 8, 16)
    assert layout.payload_offset([None, types["s"]]) == 4
    assert layout.payload_offset([types["a"]]) == 8
    assert layout.payload_offset([None]) == 1


@pytest.mark.parametrize(
    ("function", "lowered", "lifted"),
    [
        ("()", "() -> ()", "() -> ()"),
        ("(a: u64) -> f32", "(i64) -> (f32)", "(i64) -> (f32)"),
        ("() -> string", "(i32) -> ()", "() -> (i32)"),
        ("(a: list<u8>) -> result", "(i32 i32) -> (i32)", "(i32 i32) -> (i32)"),
        (
            "(" + ", ".join(f"a{n}: f64" for n in range(16)) + ") -> string",
            "(" + " ".join(["f64"] * 16) + " i32) -> ()",
            "(" + " ".join(["f64"] * 16) + ") -> (i32)",
        ),
        (
            "(" + ", ".join(f"a{n}: f64" for n in range(17)) + ") -> string",
            "(i32 i32) -> ()",
            "(i32) -> (i32)",
        ),
    ],
)
def test_signatures(function: str, lowered: str, lifted: str) -> None:
    layout, found = _function(function)
    assert _shown(layout.lowered(found)) == lowered
    assert _shown(layout.lifted(found)) == lifted


def test_seventeen_flat_parameters_spill() -> None:
    layout, found = _function("(" + ", ".join(f"a{n}: u8" for n in range(17)) + ")")
    assert layout.lowered(found).spilled
    layout, found = _function("(" + ", ".join(f"a{n}: u8" for n in range(16)) + ")")
    assert not layout.lowered(found).spilled


def _function(text: str) -> tuple[Layout, Function]:
    model = resolved(f"interface i {{ f: func{text}; }}")
    return Layout(model), interface(model, "i").functions["f"]


def _shown(signature: CoreSignature) -> str:
    return f"({' '.join(signature.params)}) -> ({' '.join(signature.results)})"
