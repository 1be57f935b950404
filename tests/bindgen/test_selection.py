"""Which world a name means."""

from __future__ import annotations

import pytest
from wasmtime_attestation_bindgen.errors import WitError
from wasmtime_attestation_bindgen.selection import select_world

from tests.bindgen.resolving import resolved


@pytest.mark.parametrize(
    "name", [None, "w", "a:b/w", "a:b/w@1.2.3"], ids=["none", "world", "package", "version"]
)
def test_ways_to_name_a_world(name: str | None) -> None:
    model = resolved("world w {} package c:d { world v {} }")
    assert model.worlds[select_world(model, name)].name == "w"
    assert model.worlds[select_world(model, "c:d/v")].name == "v"


@pytest.mark.parametrize(
    ("name", "message", "help_"),
    [
        ("x", "`a:b@1.2.3` has no world `x`", "`v`, `w`"),
        ("", "no world ``", "`v`, `w`"),
        (None, "several worlds", "`v`, `w`"),
        ("c:d/v", "several versions", "`1.0.0`, `2.0.0`"),
        ("c:d/v@3.0.0", "no package `c:d@3.0.0`", "`c:d@1.0.0`"),
        ("a:b/w@1.2.4", "no package `a:b@1.2.4`", "`a:b@1.2.3`"),
        ("e:f/w", "no package `e:f`", "`a:b@1.2.3`"),
        ("c:d/x@1.0.0", "`c:d@1.0.0` has no world `x`", "`v`"),
    ],
)
def test_worlds_that_are_not_there(name: str | None, message: str, help_: str) -> None:
    nested = "package c:d@1.0.0 { world v {} } package c:d@2.0.0 { world v {} }"
    model = resolved(f"world v {{}} world w {{}} {nested}")
    with pytest.raises(WitError) as caught:
        select_world(model, name)
    assert message in caught.value.message
    assert help_ in str(caught.value.help)


def test_a_package_without_worlds() -> None:
    model = resolved("interface i {}")
    for name in (None, "w"):
        with pytest.raises(WitError, match="has no world"):
            select_world(model, name)
