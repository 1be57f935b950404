"""What a world imports and exports, as generators see it."""

from __future__ import annotations

import pytest
from wasmtime_attestation_bindgen.errors import WitError
from wasmtime_attestation_bindgen.selection import select_world
from wasmtime_attestation_bindgen.surface import Surface, surface

from tests.bindgen.resolving import resolved


def surface_of(text: str) -> Surface:
    model = resolved(text)
    return surface(model, select_world(model, "w"))


def test_interfaces_and_the_worlds_own_items() -> None:
    found = surface_of(
        "interface i { type t = u8; f: func(); } interface j { g: func(); }"
        "world w { use i.{t}; import i; import log: func(); export j;"
        " export run: func(a: t); export in: interface { h: func(); } }"
    )
    assert [(i.module, [f.name for f in i.functions]) for i in found.imports] == [
        ("$root", ["log"]),
        ("a:b/i@1.2.3", ["f"]),
    ]
    assert list(found.imports[0].types) == ["t"]
    assert [(i.module, [f.name for f in i.functions]) for i in found.exports] == [
        ("$root", ["run"]),
        ("a:b/j@1.2.3", ["g"]),
        ("in", ["h"]),
    ]


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ("f: async func();", "function `f` of `a:b/i@1.2.3` is async"),
        ("f: func(a: list<stream<u8>>);", "function `f` of `a:b/i@1.2.3` mentions a stream"),
        ("f: func() -> future;", "function `f` of `a:b/i@1.2.3` mentions a future"),
        ("record r { a: error-context }", "type `r` of `a:b/i@1.2.3` mentions an error context"),
        ("resource r { m: async func(); }", "function `[method]r.m` of `a:b/i@1.2.3` is async"),
    ],
)
@pytest.mark.parametrize("side", ["import", "export"])
def test_what_bindings_cannot_express(item: str, message: str, side: str) -> None:
    with pytest.raises(WitError, match="which the bindings cannot express") as caught:
        surface_of(f"interface i {{ {item} }} world w {{ {side} i; }}")
    assert message in caught.value.message
    assert caught.value.span is not None


def test_the_worlds_own_function_is_named_without_a_place() -> None:
    with pytest.raises(WitError, match="2:18: function `f` is async, which"):
        surface_of("world w { import f: async func(); }")
