"""What becomes of a world's items; the expected types are written by hand as component text."""

from __future__ import annotations

import pytest
import wasmtime
from wasmtime.component import Component

from tests.bindgen.payloads import by_hand, payload
from tests.bindgen.resolving import resolved

COUNT = range(1, 131)
WORLDS = {
    "an empty world": ("world w {}", ""),
    "types with names are exported, others defined once": (
        """
        interface i {
          type p = u8;
          type q = p;
          record r { a: q, b: option<list<u8>> }
          variant v { x, y(r) }
          enum e { one, two }
          flags f { three }
          g: func(a: list<u8>, b: option<list<u8>>) -> result<e, tuple<f, v>>;
          h: func(a: list<u8>, b: option<list<u8>>) -> result<e, tuple<f, v>>;
          k: func(a: result, b: result<_, char>, c: bool);
        }
        world w { import i; }
        """,
        """
        (type (instance
          (type u8)
          (export "p" (type (eq 0)))
          (export "q" (type (eq 1)))
          (type (list u8))
          (type (option 3))
          (type (record (field "a" 2) (field "b" 4)))
          (export "r" (type (eq 5)))
          (type (variant (case "x") (case "y" 6)))
          (export "v" (type (eq 7)))
          (type (enum "one" "two"))
          (export "e" (type (eq 9)))
          (type (flags "three"))
          (export "f" (type (eq 11)))
          (type (tuple 12 8))
          (type (result 10 (error 13)))
          (type (func (param "a" 3) (param "b" 4) (result 14)))
          (export "g" (func (type 15)))
          (export "h" (func (type 15)))
          (type (result))
          (type (result (error char)))
          (type (func (param "a" 16) (param "b" 17) (param "c" bool)))
          (export "k" (func (type 18)))))
        (import "a:b/i@1.2.3" (instance (type 0)))
        """,
    ),
    "functions of resources come before others": (
        """
        interface i {
          resource second { constructor(); }
          free: func(a: borrow<first>) -> first;
          resource first { m: func(o: second); s: static func(); }
        }
        world w { export i; }
        """,
        """
        (type (instance
          (export "second" (type (sub resource)))
          (export "first" (type (sub resource)))
          (type (own 0))
          (type (func (result 2)))
          (export "[constructor]second" (func (type 3)))
          (type (borrow 1))
          (type (func (param "self" 4) (param "o" 2)))
          (export "[method]first.m" (func (type 5)))
          (type (func))
          (export "[static]first.s" (func (type 6)))
          (type (own 1))
          (type (func (param "a" 4) (result 7)))
          (export "free" (func (type 8)))))
        (export "a:b/i@1.2.3" (instance (type 0)))
        """,
    ),
    "a type of another interface is an alias, at both levels": (
        """
        interface i { resource r; }
        interface j { use i.{r as s}; f: func(a: s) -> s; }
        world w { import j; export e: interface { use i.{r}; g: func(a: r); } }
        """,
        """
        (type (instance (export "r" (type (sub resource)))))
        (import "a:b/i@1.2.3" (instance (type 0)))
        (alias export 0 "r" (type))
        (type (instance
          (alias outer 1 1 (type))
          (export "s" (type (eq 0)))
          (type (own 1))
          (type (func (param "a" 2) (result 2)))
          (export "f" (func (type 3)))))
        (import "a:b/j@1.2.3" (instance (type 2)))
        (type (instance
          (alias outer 1 1 (type))
          (export "r" (type (eq 0)))
          (type (own 1))
          (type (func (param "a" 2)))
          (export "g" (func (type 3)))))
        (export "e" (instance (type 3)))
        """,
    ),
    "a world's own types are imports": (
        """
        interface i { record r { a: string } }
        world w {
          use i.{r};
          resource q { m: func(a: r); }
          type l = list<r>;
          import f: func(a: l);
          export g: func(a: l);
        }
        """,
        """
        (type (instance
          (type (record (field "a" string)))
          (export "r" (type (eq 0)))))
        (import "a:b/i@1.2.3" (instance (type 0)))
        (alias export 0 "r" (type))
        (import "r" (type (eq 1)))
        (import "q" (type (sub resource)))
        (type (list 2))
        (import "l" (type (eq 4)))
        (type (func (param "a" 5)))
        (import "f" (func (type 6)))
        (type (borrow 3))
        (type (func (param "self" 7) (param "a" 2)))
        (import "[method]q.m" (func (type 8)))
        (export "g" (func (type 6)))
        """,
    ),
    "an exported interface is another instance than the imported one": (
        """
        interface i { enum e { x } }
        interface j { use i.{e}; }
        world w { export i; export j; }
        """,
        """
        (type (instance (type (enum "x")) (export "e" (type (eq 0)))))
        (export "a:b/i@1.2.3" (instance (type 0)))
        (alias export 0 "e" (type))
        (type (instance (alias outer 1 1 (type)) (export "e" (type (eq 0)))))
        (export "a:b/j@1.2.3" (instance (type 2)))
        """,
    ),
    "what is asynchronous": (
        """
        world w {
          import f: func(a: stream, b: stream<u8>, c: future, d: future<s64>);
          import g: async func(a: error-context);
          import h: func(a: error-context);
        }
        """,
        """
        (type (stream))
        (type (stream u8))
        (type (future))
        (type (future s64))
        (type (func (param "a" 0) (param "b" 1) (param "c" 2) (param "d" 3)))
        (import "f" (func (type 4)))
        (type (func async (param "a" error-context)))
        (import "g" (func (type 5)))
        (type (func (param "a" error-context)))
        (import "h" (func (type 6)))
        """,
    ),
    "maps and lists of fixed length": (
        "world w { import f: func(a: map<string, f32>, b: list<f64, 300>); }",
        """
        (type (map string f32))
        (type (list f64 300))
        (type (func (param "a" 0) (param "b" 1)))
        (import "f" (func (type 2)))
        """,
    ),
    "names say what they implement, and external ids": (
        """
        interface i { @external-id("type") type t = u16; @external-id("function") f: func(); }
        world w { @external-id("named") import n: i; export g: func(); }
        """,
        """
        (type (instance
          (type u16)
          (export "t" (external-id "type") (type (eq 0)))
          (type (func))
          (export "f" (external-id "function") (func (type 2)))))
        (import "n" (implements "a:b/i@1.2.3") (external-id "named") (instance (type 0)))
        (type (func))
        (export "g" (func (type 1)))
        """,
    ),
    "numbers of more than one byte": (
        f"world w {{ import f: func({', '.join(f'a{n}: list<u8, {n}>' for n in COUNT)}); }}",
        f"""
        {" ".join(f"(type (list u8 {n}))" for n in COUNT)}
        (type (func {" ".join(f'(param "a{n}" {n - 1})' for n in COUNT)}))
        (import "f" (func (type 130)))
        """,
    ),
}

SWITCHED_OFF = {
    "what is asynchronous",
    "maps and lists of fixed length",
    "numbers of more than one byte",
}
"""What an engine does not take, and this wasmtime has no switch for."""


@pytest.mark.parametrize(("wit", "text"), WORLDS.values(), ids=WORLDS)
def test_what_a_world_becomes(wit: str, text: str) -> None:
    assert payload(resolved(wit)) == by_hand(text)


@pytest.mark.parametrize("title", sorted(WORLDS.keys() - SWITCHED_OFF))
def test_wasmtime_finds_it_valid(title: str) -> None:
    config = wasmtime.Config()
    config.wasm_component_model_implements = True
    Component(wasmtime.Engine(config), payload(resolved(WORLDS[title][0])))
