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

from tests.bindgen.resolving import error_in, refused_at_mark, resolved, world

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
    # Interfaces first, then types, used ones before defined ones, then functions.
    assert keys(model, found.imports) == ["/i", "n", "t", "r", "u", "f", "[method]r.m"]
    assert keys(model, found.exports) == ["f", "/i"]
    inline = found.imports["n"]
    assert isinstance(inline, InterfaceItem)
    assert model.interfaces[inline.id].name is None
    assert list(model.interfaces[inline.id].functions) == ["g"]


def test_an_interface_can_be_imported_again_under_names() -> None:
    model = resolved(
        """
        interface s {}
        world w { import s; import one: s; import two: a:d/s; }
        package a:d { interface s {} }
        """
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
    error = refused_at_mark(f"{CHAIN}world ^w {{ export a; export c; }}")
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


def test_worlds_cannot_multiply_items_without_end() -> None:
    functions = "".join(f"import f-{n}: func();" for n in range(500))
    worlds = "".join(f"world w{n + 1} {{ include w{n}; }}" for n in range(500))
    assert "more than 100000 items" in error_in(f"world w0 {{ {functions} }} {worlds}").message


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
    "items",
    [
        "import i; import ^i;",
        "export i; export ^i;",
        "import f: func(); import ^f: interface {}",
        "import x: i; import ^x: i;",
        "import ^f: func(); type f = u8;",
        "import ^missing;",
        "import x: ^missing;",
        "import ^w;",
        "import x: ^w;",
        "include ^i;",
        "include ^missing;",
        "include ^v with { x as y }",
        "include v with { x ^}",
        "import g: func(); include ^v;",
        "import g: func(a: ^t);",
        "import x: ^record;",
        "^f: func();",
    ],
)
def test_what_worlds_cannot_be(items: str) -> None:
    others = "interface i {} world v { import g: func(); }"
    refused_at_mark(f"{others} world w {{ {items} }}")


@pytest.mark.parametrize("text", ["world w { import i ^}", "world ^w { include w; }"])
def test_where_a_world_is_wrong_as_a_whole(text: str) -> None:
    refused_at_mark(text)


def test_names_of_a_world_differ_by_more_than_case() -> None:
    error = refused_at_mark("world ^w { import f: func(); import F: func(); }")
    assert "case does not count" in error.message
    assert imports("world w { import f: func(); export F: func(); }") == ["f"]
