"""`@since`, `@unstable`, `@deprecated` and `@external-id`."""

from __future__ import annotations

import pytest
from wasmtime_attestation_bindgen import model_json
from wasmtime_attestation_bindgen.link import Features
from wasmtime_attestation_bindgen.model import InterfaceItem, Stability
from wasmtime_attestation_bindgen.resolve import resolve
from wasmtime_attestation_bindgen.source import Source
from wasmtime_attestation_bindgen.versions import Version

from tests.bindgen.resolving import error_in, interface, place, resolved, world

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
        world w {{ {UNSTABLE} import i; {UNSTABLE} include v; import j; {UNSTABLE} export f: func(); }}
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
    assert every == with_feature


def test_types_without_a_name_are_as_stable_as_what_they_mention() -> None:
    model = resolved(
        f"interface i {{ {UNSTABLE} type t = u8; {UNSTABLE} f: func(a: list<t>); }}", "x"
    )
    assert [definition.stability.feature for definition in model.types] == ["x", "x"]


@pytest.mark.parametrize(
    ("text", "position"),
    [
        (f"interface i {{ {UNSTABLE} type t = u8; type u = t; }}", "2:55"),
        (f"interface i {{ {UNSTABLE} type t = u8; f: func(a: t); }}", "2:50"),
        (f"interface i {{ {UNSTABLE} resource r {{ m: func(); }} }}", "2:51"),
        (f"{UNSTABLE} interface i {{ type t = u8; }}", "2:43"),
        (f"{UNSTABLE} world w {{ type t = u8; }}", "2:39"),
        (f"{UNSTABLE} interface i {{}} world w {{ import i; }}", "2:58"),
        (f"{UNSTABLE} world v {{}} world w {{ include v; }}", "2:55"),
        (f"world w {{ {UNSTABLE} type t = u8; }}", "2:39"),
    ],
)
def test_what_needs_an_inactive_item_is_refused(text: str, position: str) -> None:
    error = error_in(text)
    assert place(error) == position
    assert "not active" in error.message


@pytest.mark.parametrize(
    ("gates", "position"),
    [
        ("@since(version = 1.2.4)", "2:49"),
        ("@since(version = 1.2.3) @since(version = 1.2.3)", "2:40"),
        (f"@since(version = 1.2.3) {UNSTABLE}", "2:40"),
        ("@deprecated(version = 1.2.3)", "2:16"),
        ("@since(feature = x)", "2:22"),
        ("@unstable(version = 1.0.0)", "2:25"),
        ("@since(version = 1.0)", "2:35"),
        ("@since(version = 1.0.01)", "2:32"),
        ("@since", "2:22"),
        ("@other(x)", "2:16"),
        ("@external-id(x)", "2:28"),
        ('@external-id("x") @external-id("y")', "2:34"),
    ],
)
def test_what_gates_cannot_say(gates: str, position: str) -> None:
    error = error_in(f"interface i {{ {gates} f: func(); }}")
    shifted = position if "1.2.4" not in gates else "2:39"
    assert place(error) == shifted


def test_since_needs_a_package_with_a_version() -> None:
    with pytest.raises(Exception, match="no version"):
        resolve(
            [Source("a.wit", "package a:b; @since(version = 1.0.0) interface i {}")], [], Features()
        )


def test_worlds_that_include_each_other_must_agree_about_an_interface() -> None:
    text = """
        interface i {}
        world v { @since(version = 1.0.0) import i; }
        world w { @since(version = 1.1.0) import i; include v; }
    """
    assert place(error_in(text)) == "5:61"


def test_another_package_s_versions_say_nothing_here() -> None:
    model = resolved(
        "world w { include d:d/v; }"
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
