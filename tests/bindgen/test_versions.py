"""Semantic versions: what they are, and their order (semver.org 2.0.0)."""

from __future__ import annotations

import itertools

import pytest
from wasmtime_attestation_bindgen.versions import Version

# The order is that of semver.org, section 11, with build metadata last.
IN_ORDER = [
    "0.0.1",
    "0.9.10",
    "0.10.9",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "1.0.0+1",
    "1.0.0+21",
    "1.0.0+a",
    "2.0.0-0",
    "18446744073709551615.0.0",
]


@pytest.mark.parametrize(("lower", "higher"), list(itertools.pairwise(IN_ORDER)))
def test_order(lower: str, higher: str) -> None:
    assert Version.parse(lower).sort_key < Version.parse(higher).sort_key


@pytest.mark.parametrize("text", [*IN_ORDER, "0.2.0-rc-2023-11-10", "1.0.0--.-", "1.0.0-a+001"])
def test_text_is_kept(text: str) -> None:
    assert str(Version.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "1",
            "1.0",
            "01.0.0",
            "1.0.0-",
            "1.0.0-01",
            "1.0.0-a..b",
            "1.0.0+",
            "1.0.0 ",
            "a.b.c",
        ),
        *("18446744073709551616.0.0", f"{'9' * 5000}.0.0", "1.0.0-é"),
    ],
)
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="version"):
        Version.parse(text)
