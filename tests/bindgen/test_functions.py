"""Functions, and those of resources."""

from __future__ import annotations

import pytest
from wasmtime_attestation_bindgen import kinds
from wasmtime_attestation_bindgen.kinds import Primitive, TypeId
from wasmtime_attestation_bindgen.model import Form, FunctionKind, Param

from tests.bindgen.resolving import interface, refused_at_mark, resolved


def test_functions() -> None:
    model = resolved(
        "interface i { a: func(); b: func(x: u8, y: bool,) -> string; c: async func(); }"
    )
    functions = interface(model, "i").functions
    assert functions["a"].params == ()
    assert functions["a"].result is None
    assert functions["b"].params == (Param("x", Primitive.U8), Param("y", Primitive.BOOL))
    assert functions["b"].result is Primitive.STRING
    assert functions["c"].kind == FunctionKind(Form.FREESTANDING, is_async=True)


def test_functions_of_resources() -> None:
    model = resolved(
        """
        interface i {
          resource r {
            constructor(a: u8);
            get: func() -> u8;
            set: async func(v: u8);
            %static: static func();
            later: static async func();
          }
        }
        """
    )
    resource = TypeId(interface(model, "i").types["r"])
    functions = interface(model, "i").functions
    assert {name: function.kind for name, function in functions.items()} == {
        "[constructor]r": FunctionKind(Form.CONSTRUCTOR, resource),
        "[method]r.get": FunctionKind(Form.METHOD, resource),
        "[method]r.set": FunctionKind(Form.METHOD, resource, is_async=True),
        "[static]r.static": FunctionKind(Form.STATIC, resource),
        "[static]r.later": FunctionKind(Form.STATIC, resource, is_async=True),
    }
    itself = functions["[method]r.get"].params[0]
    assert itself.name == "self"
    assert isinstance(itself.type, int)
    assert model.types[itself.type].kind == kinds.Borrow(resource)
    made = functions["[constructor]r"].result
    assert isinstance(made, int)
    assert model.types[made].kind == kinds.Own(resource)


def test_a_constructor_can_fail() -> None:
    model = resolved("interface i { resource r { constructor() -> result<r, string>; } }")
    made = interface(model, "i").functions["[constructor]r"].result
    assert isinstance(made, int)
    kind = model.types[made].kind
    assert isinstance(kind, kinds.Result)
    assert kind.error is Primitive.STRING


@pytest.mark.parametrize(
    "items",
    [
        "f: func(); ^f: func();",
        "f: func(); ^F: func();",
        "f: func(a: u8, ^a: u8);",
        "f: func(a: u8) -> ^(b: u8);",
        "f: ^static func();",
        "f: async^();",
        "resource r { constructor(); ^constructor(); }",
        "resource r { f: func(); ^f: static func(); }",
        "resource r { f: func(^self: u8); }",
        "resource r { constructor() -> ^r; }",
        "resource r { constructor() -> result<^u8>; }",
        "resource r { constructor() -> ^result; }",
        "resource r { ^async constructor(); }",
        "resource r { f: async ^static func(); }",
        "resource r { ^type t = u8; }",
        "resource r; ^f: func() -> borrow<r>;",
        "resource r; ^f: func() -> list<tuple<u8, borrow<r>>>;",
        "resource r; record s { f: borrow<r> } ^g: func() -> option<s>;",
        "resource r { ^f: func() -> borrow<r>; }",
    ],
)
def test_what_functions_cannot_be(items: str) -> None:
    refused_at_mark(f"interface i {{ {items} }}")


@pytest.mark.parametrize("text", ["f: func(^}", "f: func() ^}", "f: ^}", "f^}"])
def test_where_a_function_ends_too_early(text: str) -> None:
    refused_at_mark(f"interface i {{ {text}")
