"""Text to tokens, and text that no WIT file may hold."""

from __future__ import annotations

import pytest
from wasmtime_attestation_bindgen.errors import WitError
from wasmtime_attestation_bindgen.lexer import tokenize
from wasmtime_attestation_bindgen.source import Source
from wasmtime_attestation_bindgen.tokens import Broken, TokenKind

from tests.bindgen.resolving import error_in, place, resolved


def kinds(text: str) -> list[TokenKind]:
    tokens = tokenize(Source("a.wit", text))
    assert not any(isinstance(token, Broken) for token in tokens)
    return [token.kind for token in tokens if not isinstance(token, Broken)][:-1]


def test_words() -> None:
    found = kinds("use u8 error-context _ an-id %use %an-id BIG-WORD 42 été")
    assert found == [
        TokenKind.USE,
        TokenKind.U8,
        TokenKind.ERROR_CONTEXT,
        TokenKind.UNDERSCORE,
        TokenKind.ID,
        TokenKind.EXPLICIT_ID,
        TokenKind.EXPLICIT_ID,
        TokenKind.ID,
        TokenKind.INTEGER,
        TokenKind.ID,
    ]


def test_signs() -> None:
    found = kinds("=,:.;(){}<>->*@/+-")
    assert [kind.value for kind in found] == [
        *("=", ",", ":", ".", ";", "(", ")", "{", "}", "<", ">", "->", "*", "@", "/", "+", "-")
    ]


def test_what_a_comment_is() -> None:
    tokens = tokenize(Source("a.wit", "// one\na /* two /* nested */ */ b"))
    assert not isinstance(tokens[1], Broken)
    assert [comment.span.text for comment in tokens[1].comments] == ["/* two /* nested */ */"]


def test_a_byte_order_mark_and_carriage_returns_are_white_space() -> None:
    assert kinds("\ufeffa\r\nb\tc") == [TokenKind.ID] * 3


@pytest.mark.parametrize(
    "character",
    ["\u202a", "\u202e", "\u2066", "\u2069", "\u0149", "\u17b5", "\0", "\x0b", "\x7f", "\x85"],
)
def test_deceiving_characters_are_refused_even_in_comments(character: str) -> None:
    with pytest.raises(WitError, match=f"U\\+{ord(character):04X}") as caught:
        tokenize(Source("a.wit", f"package a:b;\n// c{character}"))
    assert str(caught.value.span) == "a.wit:2:5"


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("interface i { # }", "2:15", "unexpected character"),
        ("interface i { \r }", "2:15", "unexpected character"),
        ("interface i { /* }", "2:15", "no end"),
        ("interface i { /* /* */ }", "2:15", "no end"),
        ('@external-id("x', "2:14", "no end"),
        ('@external-id("x\n")', "2:14", "no end"),
        ('@external-id("\\q")', "2:15", "string"),
        ('@external-id("\\u{110000}")', "2:15", "Unicode"),
        ('@external-id("\\u{d800}")', "2:15", "Unicode"),
        ('@external-id("\\u{}")', "2:15", "string"),
        ('@external-id("\\ff")', "2:14", "UTF-8"),
    ],
)
def test_places_that_hold_no_token(text: str, position: str, message: str) -> None:
    error = error_in(text)
    assert place(error) == position
    assert message in error.message


def test_the_parser_s_error_before_such_a_place_comes_first() -> None:
    assert place(error_in("interface interface\n#")) == "2:11"


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ("plain", "plain"),
        ("\\\"\\'\\\\\\t\\n\\r", "\"'\\\t\n\r"),
        ("\\c3\\a9", "é"),
        ("\\u{e9}\\u{1_F6_00}", "é\U0001f600"),
        ("é", "é"),
        ("", ""),
    ],
)
def test_strings(literal: str, value: str) -> None:
    model = resolved(f'@external-id("{literal}") interface i {{}}')
    assert model.interfaces[0].external_id == value
