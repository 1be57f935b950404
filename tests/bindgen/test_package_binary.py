"""WIT packages in binary form, written and read again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import wasmtime
from wasmtime.component import Component
from wasmtime_attestation_bindgen import model_json
from wasmtime_attestation_bindgen.component_type.values import custom_section
from wasmtime_attestation_bindgen.errors import WitError
from wasmtime_attestation_bindgen.link import Features
from wasmtime_attestation_bindgen.model import Resolve
from wasmtime_attestation_bindgen.package_binary import wit_package
from wasmtime_attestation_bindgen.resolve import resolve
from wasmtime_attestation_bindgen.source import Encoded

from tests.bindgen.descriptions import described
from tests.bindgen.payloads import PRODUCERS
from tests.bindgen.resolving import resolved, resolved_path
from tests.bindgen.test_conformance import FEATURE, VALID

OURS = Path(__file__).parents[2] / "wit"

TEXT = """
/// About i.
@since(version = 1.0.0)
interface i {
  /// A record.
  record r {
    /// A field.
    a: u8,
    b: u8,
  }
  use j.{e};
  resource res {
    /// Makes one.
    constructor();
    /// Reads.
    @since(version = 1.1.0)
    get: func() -> r;
  }
  /// Says "hello"\\ à deux
  /// lines.
  f: func(x: e);
}
interface j { enum e { one, /// The second.
  two } }
/// About w.
world w {
  /// Why i.
  @since(version = 1.2.0)
  import i;
  /// A function.
  import f: func();
  /// Another one.
  export f: func();
  /// Inline.
  export n: interface { /// G.
    g: func(); }
  @since(version = 1.0.0)
  export j;
}
"""
SAID = {
    "worlds": {
        "w": {
            "docs": "About w.",
            "funcs": {"f": {"docs": "A function."}},
            "interface_exports": {"n": {"docs": "Inline.", "funcs": {"g": {"docs": "G."}}}},
            "func_exports": {"f": {"docs": "Another one."}},
            "interface_import_stability": {
                "a:b/j@1.2.3": {"stable": {"since": "1.2.0"}},
                "a:b/i@1.2.3": {"stable": {"since": "1.2.0"}},
            },
            "interface_export_stability": {"a:b/j@1.2.3": {"stable": {"since": "1.0.0"}}},
            "interface_import_docs": {"a:b/i@1.2.3": "Why i."},
        }
    },
    "interfaces": {
        "j": {"types": {"e": {"items": {"two": "The second."}}}},
        "i": {
            "docs": "About i.",
            "stability": {"stable": {"since": "1.0.0"}},
            "funcs": {
                "[constructor]res": {"docs": "Makes one."},
                "[method]res.get": {
                    "docs": "Reads.",
                    "stability": {"stable": {"since": "1.1.0"}},
                },
                "f": {"docs": 'Says "hello"\\ à deux\nlines.'},
            },
            "types": {"r": {"docs": "A record.", "items": {"a": "A field."}}},
        },
    },
}
SIMPLE = "interface i { /// Said.\n f: func(a: t); type t = u8; } world w { import i; }"


def decoded(data: bytes, *features: str) -> Resolve:
    return resolve(Encoded("a.wasm", data), [], Features(features))


def said(data: bytes) -> object:
    """Returns the contents of the `package-docs` section."""
    start = data.index(b"package-docs\1") + len(b"package-docs\1")
    value, _ = json.JSONDecoder().raw_decode(data[start:].decode("utf-8", "replace"))
    return value


def with_docs(docs: object, text: str = SIMPLE) -> bytes:
    """Returns a package with something else in its `package-docs` section."""
    data = wit_package(resolved(text.replace("/// Said.\n", "")))
    nothing = custom_section("package-docs", b"\1{}")
    assert nothing in data
    contents = docs if isinstance(docs, bytes) else b"\1" + json.dumps(docs).encode()
    return data.replace(nothing, custom_section("package-docs", contents))


def test_the_types_as_written_by_hand() -> None:
    expected = wasmtime.wat2wasm(
        """(component
          (type (component
            (export "a:b/j@1.2.3" (instance
              (type (enum "x")) (export "e" (type (eq 0)))
              (type (func)) (export "g" (func (type 2)))))))
          (export "j" (type 0))
          (type (component
            (import "a:b/j@1.2.3" (instance
              (type (enum "x")) (export "e" (type (eq 0)))))
            (alias export 0 "e" (type))
            (export "a:b/i@1.2.3" (instance
              (alias outer 1 1 (type)) (export "e" (type (eq 0)))
              (type (func (param "a" 1))) (export "f" (func (type 2)))))))
          (export "i" (type 2))
          (type (component (type (component
            (type (func)) (import "h" (func (type 0)))))
            (export "a:b/w@1.2.3" (component (type 0)))))
          (export "w" (type 4)))"""
    )
    text = """
    interface i { use j.{e}; f: func(a: e); }
    interface j { enum e { x } g: func(); }
    world w { import h: func(); }
    """
    docs = custom_section("package-docs", b"\1{}")
    assert wit_package(resolved(text)) == bytes(expected) + docs + PRODUCERS


def test_documentation_and_gates_are_beside_the_types() -> None:
    data = wit_package(resolved(TEXT))
    assert said(data) == SAID
    assert json.dumps(said(data)) == json.dumps(SAID), "the order is that of wit-component"


def test_what_is_read_is_what_was_written() -> None:
    model = resolved(TEXT)
    assert described(decoded(wit_package(model))) == described(model)


def test_our_own_package() -> None:
    model = resolved_path(OURS)
    data = wit_package(model)
    assert model_json.dumps(decoded(data)) == model_json.dumps(model)
    assert wit_package(decoded(data)) == data
    Component(wasmtime.Engine(), data)


@pytest.mark.parametrize("path", [path for path, _ in VALID], ids=lambda path: str(path.name))
def test_packages_of_the_suite_survive(path: Path) -> None:
    model = resolved_path(path, FEATURE)
    package = model.packages[model.main]
    if not package.interfaces and not package.worlds:
        with pytest.raises(WitError, match="no interface and no world"):
            wit_package(model)
        return
    assert described(decoded(wit_package(model))) == described(model)


def test_what_is_in_a_package_was_active_when_it_was_written() -> None:
    text = "interface i { @unstable(feature = x) @deprecated(version = 9.0.0) f: func(); }"
    model = resolved(text, "x")
    assert described(decoded(wit_package(model))) == described(model)
    assert b"unstable" not in wit_package(resolved(text))


def test_a_named_import_of_an_interface_keeps_its_documentation() -> None:
    text = "interface i {} world w { /// One.\n import one: i; /// Two.\n import two: i; }"
    data = wit_package(resolved(text))
    assert said(data) == {
        "worlds": {"w": {"interface_import_docs": {"one": "One.", "two": "Two."}}}
    }
    assert described(decoded(data)) == described(resolved(text))


def test_the_first_version_of_the_section() -> None:
    docs = json.dumps({"worlds": {"w": {"funcs": {"g": "G."}}}}).encode()
    data = with_docs(b"\0" + docs, "world w { export g: func(); }")
    assert described(decoded(data)) == described(resolved("world w { /// G.\n export g: func(); }"))


def test_the_simple_section_is_read() -> None:
    docs = {"interfaces": {"i": {"funcs": {"f": {"docs": "Said."}}}}}
    assert described(decoded(with_docs(docs))) == described(resolved(SIMPLE))


@pytest.mark.parametrize(
    ("docs", "message"),
    [
        (b"", "unknown version"),
        (b"\2{}", "unknown version"),
        (b"\1{", "not JSON"),
        (b"\1\xff", "not JSON"),
        (b"\1" + b"[" * 100_000, "not JSON"),
        (b"\1[]", "no object"),
        (b'\1{"docs":"a","docs":"b"}', "twice"),
        (b'\1{"docs":"\\ud800"}', "no text"),
        ({"docs": 1}, "no text"),
        ({"other": 1}, "'other', which is not there"),
        ({"interfaces": []}, "no object"),
        ({"interfaces": {"k": {}}}, "'k', which is not there"),
        ({"interfaces": {"i": {"other": 1}}}, "'other', which is not there"),
        ({"interfaces": {"i": {"funcs": {"g": {}}}}}, "'g', which is not there"),
        ({"interfaces": {"i": {"types": {"g": {}}}}}, "'g', which is not there"),
        ({"interfaces": {"i": {"types": {"t": {"items": {"a": "b"}}}}}}, "which is not there"),
        ({"worlds": {"w": {"interface_import_docs": {"a:b/j": "x"}}}}, "which is not there"),
        ({"worlds": {"w": {"interface_export_docs": {"a:b/i@1.2.3": "x"}}}}, "which is not there"),
        ({"worlds": {"w": {"stability": {"unknown": {}}}}}, "'unknown', which is not there"),
        ({"worlds": {"w": {"stability": {"stable": {"since": "1"}}}}}, "not a semantic version"),
        ({"worlds": {"w": {"stability": {"unstable": {"feature": "A B"}}}}}, "name of a feature"),
        (
            {
                "worlds": {
                    "w": {
                        "stability": {
                            "stable": {"since": "1.0.0"},
                            "unstable": {"feature": "a"},
                        }
                    }
                }
            },
            "both stable and unstable",
        ),
    ],
)
def test_a_section_that_is_wrong(docs: object, message: str) -> None:
    with pytest.raises(WitError, match=message):
        decoded(with_docs(docs))


def test_two_sections_are_refused() -> None:
    section = custom_section("package-docs", b"\1{}")
    with pytest.raises(WitError, match="two sections"):
        decoded(wit_package(resolved(SIMPLE)) + section)


def test_no_change_of_a_byte_is_anything_but_an_error_or_a_package() -> None:
    data = wit_package(resolved(TEXT))
    refused = 0
    for at in range(len(data)):
        changed = data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :]
        try:
            decoded(changed)
        except WitError:
            refused += 1
    assert refused > len(data) // 4
