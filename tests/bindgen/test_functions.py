"""Functions, and those of resources."""

from __future__ import annotations

import pytest
from wasmtime_attestation_bindgen import kinds
from wasmtime_attestation_bindgen.kinds import Primitive, TypeId
from wasmtime_attestation_bindgen.model import Form, FunctionKind, Param

from tests.bindgen.resolving import error_in, interface, place, resolved


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
    ("items", "position"),
    [
        ("f: func(); f: func();", "2:26"),
        ("f: func(); F: func();", "2:26"),
        ("f: func(a: u8, a: u8);", "2:30"),
        ("f: func(a: u8) -> (b: u8);", "2:33"),
        ("f: func(", "2:24"),
        ("f: func()", "2:25"),
        ("f: static func();", "2:18"),
        ("f: async();", "2:23"),
        ("f:", "2:18"),
        ("resource r { constructor(); constructor(); }", "2:43"),
        ("resource r { f: func(); f: static func(); }", "2:39"),
        ("resource r { f: func(self: u8); }", "2:36"),
        ("resource r { constructor() -> r; }", "2:45"),
        ("resource r { constructor() -> result<u8>; }", "2:52"),
        ("resource r { constructor() -> result; }", "2:45"),
        ("resource r { async constructor(); }", "2:28"),
        ("resource r { f: async static func(); }", "2:37"),
        ("resource r { type t = u8; }", "2:28"),
        ("resource r; f: func() -> borrow<r>;", "2:27"),
        ("resource r; f: func() -> list<tuple<u8, borrow<r>>>;", "2:27"),
        ("resource r; record s { f: borrow<r> } g: func() -> option<s>;", "2:53"),
        ("resource r { f: func() -> borrow<r>; }", "2:28"),
    ],
)
def test_what_functions_cannot_be(items: str, position: str) -> None:
    assert place(error_in(f"interface i {{ {items} }}")) == position
