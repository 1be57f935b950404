"""`@since`, `@unstable`, `@deprecated` and `@external-id`."""

from __future__ import annotations

import pytest
from wasmtime_attestation_bindgen import model_json
from wasmtime_attestation_bindgen.errors import WitError
from wasmtime_attestation_bindgen.link import Features
from wasmtime_attestation_bindgen.model import InterfaceItem, Stability
from wasmtime_attestation_bindgen.resolve import resolve
from wasmtime_attestation_bindgen.source import Source
from wasmtime_attestation_bindgen.versions import Version

from tests.bindgen.resolving import interface, refused_at_mark, resolved, world

UNSTABLE = "@unstable(feature = x)"


@pytest.mark.parametrize(
    ("gates", "stability"),
    [
        ("", Stability()),
        ("@since(version = 1.0.0)", Stability(since=Version(1, 0, 0))),
        (UNSTABLE, Stability(feature="x")),
        (
            "@since(version = 1.0.0) @deprecated(version = 1.1.0-rc.1)",
            Stability(since=Version(1, 0, 0), deprecated=Version(1, 1, 0, "rc.1")),
        ),
        (
            f"@deprecated(version = 9.0.0) {UNSTABLE}",
            Stability(feature="x", deprecated=Version(9, 0, 0)),
        ),
    ],
)
def test_gates(gates: str, stability: Stability) -> None:
    model = resolved(f"interface i {{ {gates} f: func(); }}", "x")
    assert interface(model, "i").functions["f"].stability == stability


def test_unstable_items_exist_only_with_their_feature() -> None:
    text = f"""
        {UNSTABLE} interface i {{ {UNSTABLE} f: func(); }}
        interface j {{ {UNSTABLE} type t = u8; {UNSTABLE} f: func(a: option<t>); g: func(); }}
        {UNSTABLE} world v {{ {UNSTABLE} import i; }}
        world w {{
          {UNSTABLE} import i; {UNSTABLE} include v; import j; {UNSTABLE} export f: func();
        }}
    """
    without = resolved(text)
    assert list(without.packages[0].interfaces) == ["j"]
    assert list(without.packages[0].worlds) == ["w"]
    assert not interface(without, "j").types
    assert list(interface(without, "j").functions) == ["g"]
    assert not world(without).exports
    assert not without.types
    with_feature = resolved(text, "x")
    assert list(with_feature.packages[0].interfaces) == ["i", "j"]
    assert list(world(with_feature).exports) == ["f"]
    every = resolve([Source("a.wit", f"package a:b@1.2.3;\n{text}")], [], Features(all=True))
    assert model_json.dumps(every) == model_json.dumps(with_feature)


def test_types_without_a_name_are_as_stable_as_what_they_mention() -> None:
    model = resolved(
        f"interface i {{ {UNSTABLE} type t = u8; {UNSTABLE} f: func(a: list<t>); }}", "x"
    )
    assert [definition.stability.feature for definition in model.types] == ["x", "x"]


@pytest.mark.parametrize(
    "text",
    [
        f"interface i {{ {UNSTABLE} type t = u8; type ^u = t; }}",
        f"interface i {{ {UNSTABLE} type t = u8; ^f: func(a: t); }}",
        f"interface i {{ {UNSTABLE} resource r {{ ^m: func(); }} }}",
        f"{UNSTABLE} interface i {{ type ^t = u8; }}",
        f"{UNSTABLE} world w {{ type ^t = u8; }}",
        f"{UNSTABLE} interface i {{}} world w {{ import ^i; }}",
        f"{UNSTABLE} world v {{}} world w {{ include ^v; }}",
        f"world w {{ {UNSTABLE} type ^t = u8; }}",
    ],
)
def test_what_needs_an_inactive_item_is_refused(text: str) -> None:
    assert "not active" in refused_at_mark(text).message


@pytest.mark.parametrize(
    "gates",
    [
        "@since(version = 1.2.3) @^since(version = 1.2.3)",
        "@since(version = 1.2.3) @^unstable(feature = x)",
        "@^deprecated(version = 1.2.3)",
        "@since(^feature = x)",
        "@unstable(^version = 1.0.0)",
        "@since(version = 1.0^)",
        "@since(version = ^1.0.01)",
        "@^other(x)",
        "@external-id(^x)",
        '@external-id("x") @^external-id("y")',
    ],
)
def test_what_gates_cannot_say(gates: str) -> None:
    refused_at_mark(f"interface i {{ {gates} f: func(); }}")


def test_since_is_not_after_the_package_s_version() -> None:
    refused_at_mark("interface i { @since(version = 1.2.4) ^f: func(); }")


def test_since_needs_a_package_with_a_version() -> None:
    text = "package a:b; @since(version = 1.0.0) interface i {}"
    with pytest.raises(WitError, match="no version"):
        resolve([Source("a.wit", text)], [], Features())


def test_worlds_that_include_each_other_must_agree_about_an_interface() -> None:
    text = """
        interface i {}
        world v { @since(version = 1.0.0) import i; }
        world w { @since(version = 1.1.0) import i; include ^v; }
    """
    refused_at_mark(text)


def test_another_package_s_versions_say_nothing_here() -> None:
    model = resolved(
        "world w { include d:d/v@9.0.0; }"
        "package d:d@9.0.0 { interface i {}  world v { @since(version = 8.0.0) import i; } }"
    )
    (item,) = world(model).imports.values()
    assert isinstance(item, InterfaceItem)
    assert not item.stability.known


def test_external_ids() -> None:
    model = resolved(
        """
        interface i { @external-id("f") f: func(); @external-id("t") type t = u8; }
        interface j { @external-id("u") use i.{t}; }
        world w { @external-id("n") import n: i; @external-id("i") import i; }
        """
    )
    assert interface(model, "i").functions["f"].external_id == "f"
    assert [definition.external_id for definition in model.types] == ["t", "u"]
    items = world(model).imports.values()
    assert [item.external_id for item in items if isinstance(item, InterfaceItem)] == ["n", "i"]
    assert '"external_id": "n"' in model_json.dumps(model)
