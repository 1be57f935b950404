"""WIT packages in binary form; wasmtime's assembler makes them."""

from __future__ import annotations

import json
import os

import pytest
from wasmtime import wat2wasm
from wasmtime_attestation_bindgen import model_json
from wasmtime_attestation_bindgen.errors import WitError
from wasmtime_attestation_bindgen.link import Features
from wasmtime_attestation_bindgen.model import Resolve
from wasmtime_attestation_bindgen.resolve import resolve
from wasmtime_attestation_bindgen.source import Encoded, Source

from tests.bindgen.resolving import resolved_path
from tests.bindgen.test_conformance import FEATURE, SUITE

PACKAGE = """
(component
  (type $i (component
    (export "a:b/i@1.0.0" (instance
      (type $t' (record (field "x" u8) (field "y" (option string))))
      (export "t" (type $t (eq $t')))
      (export "r" (type $r (sub resource)))
      (type $own (own $r))
      (type $self (borrow $r))
      (type $made (result $own (error string)))
      (type $list (list $t))
      (export "e" (type (eq $list)))
      (type $new (func (param "a" $t) (result $made)))
      (export "[constructor]r" (func (type $new)))
      (type $get (func (param "self" $self) (result u32)))
      (export "[method]r.get" (func (type $get)))
      (type $none (func))
      (export "[static]r.none" (func (type $none)))
      (export "f" (func (type $none)))
    ))
  ))
  (export "i" (type $i))
  (type $w (component
    (export "a:b/w@1.0.0" (component
      (import "d:d/i" (instance $d
        (type $t' (enum "one" "two"))
        (export "t" (type (eq $t')))
      ))
      (alias export $d "t" (type $t))
      (import "u" (type $u (eq $t)))
      (import "f" (func (param "a" $u)))
      (import "n" (instance (export "g" (func (result (tuple u8 (list char)))))))
      (export "a:b/i@1.0.0" (instance))
    ))
  ))
  (export "w" (type $w))
)
"""
SAME_IN_TEXT = """
package a:b@1.0.0;
interface i {
  record t { x: u8, y: option<string> }
  resource r {
    constructor(a: t) -> result<r, string>;
    get: func() -> u32;
    none: static func();
  }
  type e = list<t>;
  f: func();
}
world w {
  import d:d/i;
  use d:d/i.{t as u};
  import f: func(a: u);
  import n: interface { g: func() -> tuple<u8, list<char>>; }
  export i;
}
"""
DEPENDENCY = "package d:d; interface i { enum t { one, two } }"


def decoded(wat: str, *dependencies: str) -> Resolve:
    others = [[Source("d.wit", text)] for text in dependencies]
    return resolve(Encoded("a.wasm", bytes(wat2wasm(wat))), others, Features())


def test_the_same_package_in_both_forms() -> None:
    text = resolve([Source("a.wit", SAME_IN_TEXT)], [[Source("d.wit", DEPENDENCY)]], Features())
    assert model_json.dumps(decoded(PACKAGE)) == model_json.dumps(text)
    assert model_json.dumps(decoded(PACKAGE, DEPENDENCY)) == model_json.dumps(text)


def test_a_dependency_in_full_replaces_what_a_package_shows_of_it() -> None:
    model = decoded(PACKAGE, f"{DEPENDENCY} interface j {{}}")
    assert len(model.packages[0].interfaces) == 2


@pytest.mark.parametrize(
    ("wat", "message"),
    [
        ("(module)", "not a component"),
        ("(component)", "no interface and no world"),
        ("(component (core module))", "component, not a WIT package"),
        ('(component (type $t u8) (export "t" (type $t)))', "neither an interface nor a world"),
        ('(component (type $t (component)) (export "t" (type $t)))', "neither an interface nor"),
        (
            '(component (type $t (component (export "x" (component)))) (export "t" (type $t)))',
            "not the name of a world",
        ),
        (
            """(component (type $t (component
                (type u8)
                (export "a:b/i" (instance (alias outer 1 0 (type))))
            )) (export "t" (type $t)))""",
            "no `use` can express",
        ),
    ],
)
def test_what_is_no_package(wat: str, message: str) -> None:
    with pytest.raises(WitError, match=message):
        decoded(wat)


def test_every_truncation_is_refused() -> None:
    data = bytes(wat2wasm(PACKAGE))
    complete = 0
    for length in range(len(data)):
        try:
            resolve(Encoded("a.wasm", data[:length]), [], Features())
        except WitError:
            continue
        complete += 1
    # Cut between sections, what is left can be a smaller package.
    assert complete <= 4


def test_types_that_grow_by_sharing_are_refused() -> None:
    doubled = "".join(f"(type $t{n + 1} (tuple $t{n} $t{n}))" for n in range(60))
    instance = f'(instance (type $t0 (tuple u8 u8)) {doubled} (export "t" (type (eq $t60))))'
    wrapper = f'(component (export "a:b/i" {instance}))'
    with pytest.raises(WitError, match="too large"):
        decoded(f'(component (type $i {wrapper}) (export "i" (type $i)))')


def test_types_that_nest_too_deep_are_refused() -> None:
    nested = "".join(f"(type $t{n + 1} (option $t{n}))" for n in range(3_000))
    instance = f'(instance (type $t0 (option u8)) {nested} (export "t" (type (eq $t3000))))'
    wrapper = f'(component (export "a:b/i" {instance}))'
    with pytest.raises(WitError, match="too deep"):
        decoded(f'(component (type $i {wrapper}) (export "i" (type $i)))')


GOLDEN = SUITE.parent / "component-type-golden"


def _golden() -> list[dict[str, str]]:
    index = GOLDEN / "index.json"
    entries = json.loads(index.read_text()) if index.is_file() else []
    return [entry for entry in entries if (SUITE.parent / entry["wit"]).exists()]


def test_the_payloads_are_here() -> None:
    if not _golden():
        reason = f"no component-type payloads in {GOLDEN}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.mark.parametrize("entry", _golden(), ids=lambda entry: str(entry["file"]))
def test_worlds_that_wit_component_encoded(entry: dict[str, str]) -> None:
    encoded = resolve(Encoded(entry["file"], (GOLDEN / entry["file"]).read_bytes()), [], Features())
    text = resolved_path(SUITE.parent / entry["wit"], FEATURE)
    name = entry["world"].rpartition("/")[2].partition("@")[0]
    (found,) = encoded.worlds
    expected = next(world for world in text.worlds if world.name == name)
    assert found.name == name
    for ours, theirs in ((found.imports, expected.imports), (found.exports, expected.exports)):
        assert [_named(encoded, key) for key in ours] == [_named(text, key) for key in theirs]


def _named(model: Resolve, key: str | int) -> str:
    return key if isinstance(key, str) else f"/{model.interfaces[key].name}"
