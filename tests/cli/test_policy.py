"""`policy schema`, `policy show` and errors with file, line and column, through the tool."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from wasmtime_attestation.policy import PRESETS, load

from tests.cli.tool import run


def test_the_schema_validates_a_policy() -> None:
    outcome = run("policy", "schema")
    validator = Draft202012Validator(json.loads(outcome.out))

    assert (outcome.code, outcome.err) == (0, "")
    assert validator.is_valid(tomllib.loads("schema = 1\n[snp]\nvmpl = [0]"))
    assert not validator.is_valid(tomllib.loads("schema = 1\n[snp]\nvmpls = [0]"))


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_shown(name: str) -> None:
    outcome = run("policy", "show", name)

    assert (outcome.code, outcome.err) == (0, "")
    assert load("other", outcome.out.encode()) == PRESETS[name]


def test_a_file_is_shown_with_what_it_extends(tmp_path: Path) -> None:
    path = tmp_path / "ours.toml"
    path.write_text('schema = 1\nextends = "strict"\nsnp.allow-smt = false\n')

    text = run("policy", "show", path).out

    shown = tomllib.loads(text)
    assert shown["name"] == "ours"
    assert shown["snp"]["allow-smt"] is False
    assert shown["snp"]["require-revocation-check"] is True
    assert str(path) in text


def test_errors_name_file_line_and_column(tmp_path: Path) -> None:
    path = tmp_path / "ours.toml"
    path.write_text("schema = 1\n\n[snp]\n  vmpl = [0, 9]\n")

    outcome = run("policy", "show", path)

    assert (outcome.code, outcome.out) == (2, "")
    where = f"{path}:4:14"
    assert outcome.err == f"invalid-argument: policy {where}: snp.vmpl must be from 0 to 3\n"


def test_a_policy_that_does_not_exist(tmp_path: Path) -> None:
    outcome = run("policy", "show", tmp_path / "absent")

    assert outcome.code == 2
    assert "a policy is a file or a preset (hardware-only, strict" in outcome.err


def test_a_policy_from_standard_input() -> None:
    assert run("policy", "show", "-", stdin=b"schema = 1").code == 0
