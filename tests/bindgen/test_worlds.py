"""Worlds: imports, exports, what follows from them, and `include`."""

from __future__ import annotations

import pytest
from wasmtime_attestation_bindgen.model import (
    FunctionItem,
    InterfaceId,
    InterfaceItem,
    Resolve,
    TypeItem,
    WorldItems,
)

from tests.bindgen.resolving import error_in, interface, place, resolved, world

CHAIN = """
interface a { type t = u8; }
interface b { use a.{t}; }
interface c { use b.{t}; use a.{t as u}; }
"""


def keys(model: Resolve, items: WorldItems) -> list[str]:
    """Returns a world's keys; an interface by path as `/name`."""
    return [key if isinstance(key, str) else f"/{model.interfaces[key].name}" for key in items]


def imports(text: str, name: str = "w") -> list[str]:
    model = resolved(text)
    return keys(model, world(model, name).imports)


def exports(text: str, name: str = "w") -> list[str]:
    model = resolved(text)
    return keys(model, world(model, name).exports)


def test_what_a_world_holds() -> None:
    model = resolved(
        """
        interface i { type t = u8; }
        world w {
          import f: func();
          import i;
          import n: interface { g: func(); }
          use i.{t};
          resource r { m: func(); }
          type u = t;
          export f: async func(a: u) -> r;
          export i;
        }
        """
    )
    found = world(model)
    assert keys(model, found.imports) == ["/i", "n", "t", "u", "r", "f", "[method]r.m"] or keys(
        model, found.imports
    ) == ["/i", "n", "t", "r", "u", "f", "[method]r.m"]
    assert keys(model, found.exports) == ["f", "/i"]
    inline = found.imports["n"]
    assert isinstance(inline, InterfaceItem)
    assert model.interfaces[inline.id].name is None
    assert list(model.interfaces[inline.id].functions) == ["g"]


def test_an_interface_can_be_imported_again_under_names() -> None:
    model = resolved(
        "interface s {} world w { import s; import one: s; import two: a:d/s; } package a:d { interface s {} }"
    )
    found = world(model)
    assert keys(model, found.imports) == ["/s", "one", "two"]
    one, two = found.imports["one"], found.imports["two"]
    assert isinstance(one, InterfaceItem)
    assert isinstance(two, InterfaceItem)
    assert one.id == InterfaceId(model.packages[model.main].interfaces["s"])
    assert model.packages[model.interfaces[two.id].package].name.name == "d"


def test_imports_bring_what_they_use() -> None:
    assert imports(f"{CHAIN} world w {{ import c; }}") == ["/a", "/b", "/c"]
    assert imports(f"{CHAIN} world w {{ use c.{{t}}; }}") == ["/a", "/b", "/c", "t"]
    assert imports(f"{CHAIN} world w {{ import x: c; }}") == ["/a", "/b", "x"]
    assert imports(f"{CHAIN} world w {{ import n: interface {{ use b.{{t}}; }} }}") == [
        "/a",
        "/b",
        "n",
    ]


def test_exports_bring_what_they_use_as_imports_unless_it_is_exported() -> None:
    assert imports(f"{CHAIN} world w {{ export c; }}") == ["/a", "/b"]
    text = f"{CHAIN} world w {{ export c; export b; export a; }}"
    assert imports(text) == []
    assert exports(text) == ["/a", "/b", "/c"]


def test_an_export_cannot_see_a_type_imported_and_exported() -> None:
    error = error_in(f"{CHAIN}world w {{ export a; export c; }}")
    assert place(error) == "6:7"
    assert "both imported and exported" in error.message


def test_a_long_chain_of_interfaces_is_refused() -> None:
    interfaces = "".join(
        f"interface i{n + 1} {{ use i{n}.{{t{n}}}; type t{n + 1} = u8; }}" for n in range(1000)
    )
    error = error_in(f"interface i0 {{ type t0 = u8; }} {interfaces} world w {{ import i1000; }}")
    assert "chain" in error.message


def test_include_brings_everything_once() -> None:
    text = """
        interface i { type t = u8; }
        world one { import i; export i; }
        world two { include one; import f: func(); export g: func(); }
        world w { include one; include two; import h: func(); }
    """
    assert imports(text) == ["/i", "h", "f"]
    assert exports(text) == ["g", "/i"]


def test_include_renames_what_a_world_names_itself() -> None:
    text = """
        world one {
          resource r { constructor(); m: func(); s: static func(); }
          import f: func(a: r);
          import n: interface { type t = u8; f: func(a: t); }
          export f: func();
        }
        world w { include one with { r as q, f as g, n as o } }
    """
    model = resolved(text)
    found = world(model)
    assert set(keys(model, found.imports)) == {
        *("q", "g", "o", "[constructor]q", "[method]q.m", "[static]q.s"),
    }
    assert keys(model, found.exports) == ["g"]
    renamed, function = found.imports["q"], found.imports["[method]q.m"]
    assert isinstance(renamed, TypeItem)
    assert isinstance(function, FunctionItem)
    assert model.types[renamed.id].name == "q"
    assert function.function.name == "[method]q.m"
    assert function.function.kind.resource == renamed.id


def test_included_types_and_inline_interfaces_are_copies() -> None:
    model = resolved(
        "world one { type t = u8; import n: interface { type u = u8; } } world w { include one; }"
    )
    one, found = world(model, "one"), world(model)
    for key in ("t", "n"):
        assert one.imports[key] != found.imports[key]
    owners = [str(definition.owner) for definition in model.types]
    assert len(set(owners)) == len(owners) == 4


def test_packages_include_each_other_s_worlds() -> None:
    model = resolved(
        "world w { include d:d/v with { t as u } }"
        "package d:d { world v { type t = u8; import i; import n: interface {} } interface i {} }"
    )
    assert keys(model, world(model).imports) == ["/i", "n", "u"]
    inline = world(model).imports["n"]
    assert isinstance(inline, InterfaceItem)
    assert model.interfaces[inline.id].package == model.main


@pytest.mark.parametrize(
    ("items", "position"),
    [
        ("import i; import i;", "2:36"),
        ("export i; export i;", "2:36"),
        ("import f: func(); import f: interface {}", "2:44"),
        ("import x: i; import x: i;", "2:39"),
        ("import f: func(); type f = u8;", "2:26"),
        ("import missing;", "2:26"),
        ("import x: missing;", "2:29"),
        ("import w;", "2:26"),
        ("import x: w;", "2:29"),
        ("include i;", "2:27"),
        ("include missing;", "2:27"),
        ("include w;", "2:21"),
        ("include v with { x as y }", "2:27"),
        ("include v with { x }", "2:38"),
        ("import g: func(); include v;", "2:45"),
        ("import g: func(a: t);", "2:37"),
        ("import i", "2:28"),
        ("import x: record;", "2:29"),
        ("f: func();", "2:19"),
    ],
)
def test_what_worlds_cannot_be(items: str, position: str) -> None:
    text = f"interface i {{}} world w {{ {items} }} world v {{ import g: func(); }}"
    assert place(error_in(text)) == position


def test_names_of_a_world_differ_by_more_than_case() -> None:
    error = error_in("world w { import f: func(); import F: func(); }")
    assert "case does not count" in error.message
    assert interface(
        resolved("interface i {} world w { import f: func(); export F: func(); }"), "i"
    )
