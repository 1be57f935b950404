"""Errors look like a compiler's, and show nothing that a terminal would obey."""

from __future__ import annotations

import pytest
from wasmtime_attestation_bindgen.errors import WitError
from wasmtime_attestation_bindgen.source import LONGEST_SNIPPET, Source, Span

from tests.bindgen.resolving import error_in


def test_an_error_shows_its_line() -> None:
    error = error_in("interface i {\n  type t = missing;\n}")
    assert error.render() == (
        "error: there is no type `missing`\n"
        "  --> a.wit:3:12\n"
        "  |\n"
        "3 |   type t = missing;\n"
        "  |            ^^^^^^^"
    )


def test_an_error_tells_what_to_do_and_what_else_to_look_at() -> None:
    error = error_in("interface i {}\nworld i {}")
    assert error.render().splitlines()[-1] == "  --> a.wit:2:11: first defined here"
    assert "= help: write `%type`" in error_in("interface i { f: func(type: u8); }").render()


def test_an_error_at_the_end_points_behind_the_last_line() -> None:
    error = error_in("interface i {\n")
    assert error.render().splitlines()[1:] == ["  --> a.wit:3:1", "  |", "3 | ", "  | ^"]


def test_columns_count_characters() -> None:
    assert str(error_in("/* é😀 */ interface").span) == "a.wit:2:19"


def test_a_long_line_is_shown_in_part() -> None:
    source = Source("a.wit", "x" * 70_000 + "here" + "y" * 70_000)
    lines = WitError("wrong", Span(source, 70_000, 70_004)).render().splitlines()
    assert lines[1] == "  --> a.wit:1:70001"
    assert len(lines[3]) == len("1 | ") + LONGEST_SNIPPET
    column = lines[4].index("^")
    assert lines[3][column : column + 4] == "here"


@pytest.mark.parametrize("character", ["\x1b", "\u202e", "\x9b", "\u2028"])
def test_control_characters_are_not_shown(character: str) -> None:
    source = Source("a.wit", f"a\t{character}[2Jb")
    rendered = WitError("wrong", Span(source, 0, 1)).render()
    assert character not in rendered
    assert "a \N{REPLACEMENT CHARACTER}[2Jb" in rendered
