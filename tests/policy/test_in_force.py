"""`policy show`: what it prints is the policy, and every setting of it."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wasmtime_attestation.policy import PRESETS, load, preset
from wasmtime_attestation.policy.in_force import show
from wasmtime_attestation.policy.source import Source

from tests.policy.texts import EVERYTHING


def shown(text: str) -> str:
    return show("p", Source.of("p.toml", text.encode()))


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_can_be_read_back(name: str) -> None:
    assert load("other", show(name, preset(name)).encode()) == PRESETS[name]


@pytest.mark.parametrize(
    "text",
    [
        "schema = 1",
        EVERYTHING,
        'schema = 1\nextends = "strict"\nissuers = []\n[tdx]\ngrace-period-days = 0',
    ],
)
def test_a_policy_can_be_read_back(text: str) -> None:
    assert load("p", shown(text).encode()) == load("p", text.encode())


def test_defaults_are_shown_too() -> None:
    text = shown("schema = 1")

    assert tomllib.loads(text)["snp"]["vmpl"] == [0]
    assert tomllib.loads(text)["tdx"]["tcb-statuses"] == ["UpToDate"]
    assert "# measurements: not constrained" in text
    assert "Milan" not in text


def test_what_it_extends_is_named() -> None:
    assert "preset strict" in shown('schema = 1\nextends = "strict"')


@given(st.text(max_size=40))
def test_names_stay_within_their_quotes(name: str) -> None:
    escaped = "".join(f"\\U{ord(c):08x}" for c in name)

    text = shown(f'schema = 1\nname = "{escaped}"')

    assert load("p", text.encode()) == replace(load("p", b"schema = 1"), name=name or "p")


def test_the_files_name_stays_within_its_comment() -> None:
    text = show("p", Source.of("a\nunsafe = true\x1b[2J\u2028", b"schema = 1"))

    assert "unsafe" not in tomllib.loads(text)
    assert not re.search("[\x1b\u2028]", text)
