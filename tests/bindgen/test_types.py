"""Every type of the language, and the rules that types obey."""

from __future__ import annotations

import pytest
from wasmtime_attestation_bindgen import kinds
from wasmtime_attestation_bindgen.kinds import Case, Field, Label, Primitive, TypeId

from tests.bindgen.resolving import error_in, interface, kind_of, refused_at_mark, resolved


@pytest.mark.parametrize("primitive", list(Primitive))
def test_primitives(primitive: Primitive) -> None:
    assert kind_of(f"type t = {primitive.value};") == kinds.Alias(primitive)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("list<u8>", kinds.List(Primitive.U8)),
        ("list<u8, 4>", kinds.FixedLengthList(Primitive.U8, 4)),
        ("list<u8, 4294967295>", kinds.FixedLengthList(Primitive.U8, 2**32 - 1)),
        ("map<string, u8>", kinds.Map(Primitive.STRING, Primitive.U8)),
        ("option<char>", kinds.Option(Primitive.CHAR)),
        ("result", kinds.Result(None, None)),
        ("result<u8>", kinds.Result(Primitive.U8, None)),
        ("result<_, u8>", kinds.Result(None, Primitive.U8)),
        ("result<u8, u16>", kinds.Result(Primitive.U8, Primitive.U16)),
        ("tuple<u8, u16,>", kinds.Tuple((Primitive.U8, Primitive.U16))),
        ("tuple<>", kinds.Tuple(())),
        ("future", kinds.Future(None)),
        ("future<u8>", kinds.Future(Primitive.U8)),
        ("stream", kinds.Stream(None)),
        ("stream<u8>", kinds.Stream(Primitive.U8)),
    ],
)
def test_built_types(text: str, kind: kinds.Kind) -> None:
    assert kind_of(f"type t = {text};") == kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (
            "record t { a: u8, %b: char }",
            kinds.Record((Field("a", Primitive.U8), Field("b", Primitive.CHAR))),
        ),
        ("record t {}", kinds.Record(())),
        ("variant t { a, b(u8), }", kinds.Variant((Case("a", None), Case("b", Primitive.U8)))),
        ("enum t { a, b }", kinds.Enum((Label("a"), Label("b")))),
        ("flags t { a, b }", kinds.Flags((Label("a"), Label("b")))),
        ("flags t {}", kinds.Flags(())),
        ("resource t;", kinds.Resource()),
        ("resource t {}", kinds.Resource()),
    ],
)
def test_definitions(text: str, kind: kinds.Kind) -> None:
    assert kind_of(text) == kind


def test_handles() -> None:
    model = resolved("interface i { type o = own<r>; type b = borrow<r>; resource r; }")
    named = interface(model, "i").types
    assert model.types[named["o"]].kind == kinds.Own(named["r"])
    assert model.types[named["b"]].kind == kinds.Borrow(named["r"])


def test_types_come_after_those_that_they_mention_and_else_as_written() -> None:
    model = resolved("interface i { type a = c; type b = u8; type c = b; type d = u8; }")
    assert list(interface(model, "i").types) == ["b", "c", "a", "d"]


def test_types_without_a_name_exist_once() -> None:
    model = resolved("interface i { f: func(a: list<u8>, b: list<u8>) -> option<list<u8>>; }")
    assert [definition.kind for definition in model.types] == [
        kinds.List(Primitive.U8),
        kinds.Option(TypeId(0)),
    ]


def test_a_resource_as_a_value_is_owned() -> None:
    model = resolved("interface i { resource r; f: func(a: r, b: own<r>, c: list<r>); }")
    own = next(TypeId(i) for i, d in enumerate(model.types) if isinstance(d.kind, kinds.Own))
    params = interface(model, "i").functions["f"].params
    assert params[0].type == params[1].type == own
    assert kinds.List(own) in [definition.kind for definition in model.types]


@pytest.mark.parametrize(
    "items",
    [
        "type t = ^missing;",
        "type t = list<^missing>;",
        "type t = ^t;",
        "type t = list<^u>; record u { f: t }",
        "type t = ^float32;",
        "f: func(); type t = ^f;",
        "f: func(); g: func(a: ^f);",
        "type t = own<^u>; type u = u8;",
        "type t = own<^u8>;",
        "enum ^t {}",
        "variant ^t {}",
        "record t { a: u8, ^a: u8 }",
        "record t { a: u8, ^A: u8 }",
        "variant t { a, ^a }",
        "flags t { a, ^a }",
        "type t = u8; type ^t = u8;",
        "type t = u8; ^T: func();",
        "type t = ^map<f32, u8>;",
        "type k = string; type t = ^map<k, u8>;",
        "type t = list<u8, ^4294967296>;",
        f"type t = list<u8, ^{'9' * 5000}>;",
        "type t = list<u8, ^>;",
        "type t = list<^>;",
        "type t = result<_^>;",
        "type ^record = u8;",
        "type ^Record = u8;",
        "type ^a--b = u8;",
        "type ^a-é = u8;",
        "type ^% = u8;",
        "type ^1a = u8;",
    ],
)
def test_what_types_cannot_be(items: str) -> None:
    refused_at_mark(f"interface i {{ {items} }}")


def test_an_old_name_s_error_tells_the_new_one() -> None:
    assert error_in("interface i { type t = float64; }").help == "it is now called `f64`"


@pytest.mark.parametrize("name", ["a", "a1-2b", "ABC", "a-BC-d", "a-0"])
def test_legal_names(name: str) -> None:
    assert kind_of(f"type {name} = u8;", name) == kinds.Alias(Primitive.U8)


def test_keywords_are_names_behind_a_percent_sign() -> None:
    assert kind_of("type %type = u8;", "type") == kinds.Alias(Primitive.U8)
    assert kind_of("type t = %type; type %type = u8;") == kinds.Alias(TypeId(0))


def test_how_deep_types_nest_in_text() -> None:
    assert isinstance(kind_of(f"type t = {'list<' * 99}u8{'>' * 99};"), kinds.List)
    refused_at_mark(f"interface i {{ type t = {'list<' * 100}^u8{'>' * 100}; }}")


def test_how_deep_types_nest_by_name() -> None:
    definitions = "".join(f"type t{n + 1} = list<t{n}>;" for n in range(1000))
    assert "nests deeper" in error_in(f"interface i {{ type t0 = u8; {definitions} }}").message
