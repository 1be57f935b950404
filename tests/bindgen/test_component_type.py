"""The `component-type` payload of whole packages, and the command that writes it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import wasmtime
from click.testing import CliRunner
from wasmtime.component import Component
from wasmtime_attestation_bindgen.cli import main

from tests.bindgen.payloads import by_hand, payload
from tests.bindgen.resolving import resolved, resolved_path

ROOT = Path(__file__).parents[2]
SUITE = Path(os.environ.get("ATTESTATION_WIT_SUITE") or ROOT.parent / "shared" / "wit-suite")
INDEX = SUITE / "component-type-golden" / "index.json"
FEATURE = "active"

GOLDEN: list[dict[str, str]] = json.loads(INDEX.read_text()) if INDEX.exists() else []


def test_the_suite_is_here() -> None:
    if GOLDEN:
        return
    reason = f"no payloads in {SUITE}; name its folder in ATTESTATION_WIT_SUITE"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.mark.parametrize("case", GOLDEN, ids=[case["file"] for case in GOLDEN])
def test_the_bytes_are_those_of_wit_component(case: dict[str, str]) -> None:
    model = resolved_path(SUITE / case["wit"], FEATURE)
    assert payload(model, case["world"]) == INDEX.with_name(case["file"]).read_bytes()


def test_only_active_features_are_in_it() -> None:
    text = "world w { @unstable(feature = extra) import f: func(); }"
    assert payload(resolved(text)) == by_hand("")
    with_extra = by_hand('(type (func)) (import "f" (func (type 0)))')
    assert payload(resolved(text, "extra")) == with_extra


def test_the_world_of_this_project_is_a_valid_component() -> None:
    encoded = payload(resolved_path(ROOT / "wit"), "imports")
    for name in ("types", "attestation", "attester", "verifier"):
        assert f"wasmtime:attestation/{name}@0.1.0".encode() in encoded
    engine = wasmtime.Engine()
    Component(engine, encoded)
    list_of_u8, list_of_nothing = b"\x70\x7d", b"\x70\x63"
    with pytest.raises(wasmtime.WasmtimeError):
        Component(engine, encoded.replace(list_of_u8, list_of_nothing, 1))


def test_the_command_writes_the_payload(tmp_path: Path) -> None:
    wit, out = tmp_path / "a.wit", tmp_path / "out"
    wit.write_text(
        "package a:b@1.2.3; world w { @unstable(feature = extra) import f: func(); } world v {}"
    )
    arguments = ["component-type", str(wit), "--world", "w", "-o", str(out)]
    assert CliRunner().invoke(main, arguments).exit_code == 0
    assert out.read_bytes() == by_hand("")
    assert CliRunner().invoke(main, [*arguments, "--features", "other,extra"]).exit_code == 0
    assert out.read_bytes() == by_hand('(type (func)) (import "f" (func (type 0)))')


def test_the_command_refuses_what_is_not_there(tmp_path: Path) -> None:
    wit, out = tmp_path / "a.wit", tmp_path / "out"
    wit.write_text("package a:b; world w {}")
    unknown = CliRunner().invoke(main, ["component-type", str(wit), "--world", "x", "-o", str(out)])
    assert unknown.exit_code == 4
    assert "error: package `a:b` has no world `x`\n  = help: it has `w`\n" in unknown.output
    assert not out.exists()
    nowhere = CliRunner().invoke(main, ["component-type", str(wit), "-o", str(out / "deeper")])
    assert nowhere.exit_code == 2
    assert "cannot write" in nowhere.output
