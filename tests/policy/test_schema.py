"""The JSON Schema of policies says what the readers say, by an independent implementation."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from wasmtime_attestation.errors import InvalidArgumentError
from wasmtime_attestation.policy import load
from wasmtime_attestation.policy.presets import TEXTS
from wasmtime_attestation.policy.schema import schema

from tests.policy.texts import EVERYTHING, NO_POLICIES

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "policy.md").read_text()
VALIDATOR = Draft202012Validator(schema())
# JSON has one kind of number: 1.0 is the integer 1 there, and not in TOML.
NOT_IN_JSON = {"schema = 1.0"}


def documented() -> list[str]:
    """Returns the policies in the documentation, with values in the places left open."""
    texts = re.findall(r"```toml\n(.*?)```", DOCUMENT, re.DOTALL)
    return [re.sub(r"<(\d+) bytes of hex>", lambda m: "ab" * int(m[1]), text) for text in texts]


def settings(form: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for name, inner in form["properties"].items():
        yield f"{path}{name}", inner
        if "properties" in inner:
            yield from settings(inner, f"{path}{name}.")


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("text", [EVERYTHING, "schema = 1", *TEXTS.values(), *documented()])
def test_policies_are_valid(text: str) -> None:
    load("p", text.encode())
    VALIDATOR.validate(tomllib.loads(text))


@pytest.mark.parametrize("text", [text for text, _ in NO_POLICIES if text not in NOT_IN_JSON])
def test_what_is_no_policy_is_not_valid(text: str) -> None:
    assert not VALIDATOR.is_valid(tomllib.loads(text))


def test_every_setting_says_what_it_does() -> None:
    for path, form in settings(schema()):
        assert form["description"].endswith("."), path


def test_unsafe_settings_say_so_and_are_off() -> None:
    unsafe = [form for path, form in settings(schema()) if "unsafe" in path]

    assert unsafe
    assert all(form["default"] is False for form in unsafe)


VALUES: st.SearchStrategy[object] = st.one_of(
    st.booleans(),
    st.integers(-1, 5),
    st.sampled_from([255, 256, 2**32 - 1, 2**32, 36_500, 36_501]),
    st.sampled_from(["", "UpToDate", "intel-tdx", "strict", "ab" * 32, "AB" * 48, "x" * 257]),
)


@given(
    st.sampled_from([path for path, _ in settings(schema())]),
    VALUES | st.lists(VALUES, max_size=2) | st.just({}),
)
def test_reader_and_schema_agree(path: str, value: object) -> None:
    document: dict[str, Any] = {"schema": 1}
    *tables, name = path.split(".")
    inner = document
    for table in tables:
        inner = inner.setdefault(table, {})
    inner[name] = value

    assert VALIDATOR.is_valid(document) is is_policy(document)


def is_policy(document: dict[str, Any]) -> bool:
    try:
        load("p", "\n".join(lines(document)).encode())
    except InvalidArgumentError:
        return False
    return True


def lines(table: dict[str, Any], path: str = "") -> Iterator[str]:
    """Writes a document in dotted keys."""
    for name, value in table.items():
        if isinstance(value, dict) and value:
            yield from lines(value, f"{path}{name}.")
        else:
            # Of these values, each is written in TOML as in JSON.
            yield f"{path}{name} = {json.dumps(value)}"
