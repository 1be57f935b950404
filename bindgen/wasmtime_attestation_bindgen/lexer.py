"""WIT text to tokens."""

from __future__ import annotations

import re
from typing import TypeAlias

from wasmtime_attestation_bindgen.errors import WitError
from wasmtime_attestation_bindgen.literals import read_string
from wasmtime_attestation_bindgen.source import Source, Span
from wasmtime_attestation_bindgen.tokens import (
    KEYWORDS,
    SIGNS,
    Broken,
    Comment,
    Token,
    TokenKind,
)

Tokens: TypeAlias = list[Token | Broken]

_SPACE = re.compile(r"(?:[ \t\n]|\r\n)+")
_LINE_COMMENT = re.compile(r"//[^\n]*")
_BLOCK_COMMENT_MARK = re.compile(r"/\*|\*/")
_DIGITS = re.compile(r"[0-9]+")
_BYTE_ORDER_MARK = "\ufeff"

_BIDIRECTIONAL = re.compile("[\u202a-\u202e\u2066-\u2069]")
_DISCOURAGED = re.compile("[\u0149\u0673\u0f77\u0f79\u17a3\u17a4\u17b4\u17b5]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def tokenize(source: Source) -> Tokens:
    """Returns the tokens of a source, a token of kind END or a `Broken` place last.

    A place that holds no token ends the list; its error waits there, since an
    error of the parser before it is the better one to report.

    Raises:
        WitError: the text holds characters that no WIT file may hold, as they
            can make it look like something it is not (CVE-2021-42574).
    """
    _refuse_deceiving_characters(source)
    return _Lexer(source).run()


def _refuse_deceiving_characters(source: Source) -> None:
    for forbidden, what in (
        (_BIDIRECTIONAL, "changes the direction of text, so that the file reads differently"),
        (_DISCOURAGED, "is discouraged by the Unicode standard"),
        (_CONTROL, "is a control character"),
    ):
        if match := forbidden.search(source.text):
            raise WitError(
                f"the character U+{ord(match[0]):04X} {what}",
                Span(source, *match.span()),
                help="remove it",
            )


class _Lexer:
    def __init__(self, source: Source) -> None:
        self._source = source
        self._text = source.text
        self._at = 1 if source.text.startswith(_BYTE_ORDER_MARK) else 0

    def run(self) -> Tokens:
        tokens: Tokens = []
        try:
            while True:
                token = self._token()
                tokens.append(token)
                if token.kind is TokenKind.END:
                    return tokens
        except WitError as error:
            tokens.append(Broken(error))
            return tokens

    def _token(self) -> Token:
        comments = self._trivia()
        start = self._at
        kind, value = self._kind()
        return Token(kind, self._span(start), comments, value)

    def _span(self, start: int) -> Span:
        return Span(self._source, start, self._at)

    def _trivia(self) -> tuple[Comment, ...]:
        comments: list[Comment] = []
        while True:
            start = self._at
            if self._skip(_SPACE):
                continue
            if self._skip(_LINE_COMMENT) or self._skip_block_comment():
                comments.append(Comment(self._span(start)))
                continue
            return tuple(comments)

    def _skip(self, pattern: re.Pattern[str]) -> bool:
        match = pattern.match(self._text, self._at)
        if match is not None:
            self._at = match.end()
        return match is not None

    def _skip_block_comment(self) -> bool:
        if not self._text.startswith("/*", self._at):
            return False
        depth = 0
        for mark in _BLOCK_COMMENT_MARK.finditer(self._text, self._at):
            depth += 1 if mark[0] == "/*" else -1
            if depth == 0:
                self._at = mark.end()
                return True
        raise self._error("this comment has no end", help="close it with `*/`")

    def _kind(self) -> tuple[TokenKind, str]:
        if self._at == len(self._text):
            return TokenKind.END, ""
        for length in (2, 1):
            text = self._text[self._at : self._at + length]
            if text in SIGNS:
                self._at += len(text)
                return SIGNS[text], ""
        if self._skip(_DIGITS):
            return TokenKind.INTEGER, ""
        if self._text[self._at] == '"':
            value, self._at = read_string(self._source, self._at)
            return TokenKind.TEXT, value
        return self._word(), ""

    def _word(self) -> TokenKind:
        start = self._at
        explicit = self._text[start] == "%"
        self._at += explicit
        # Any letter of any script makes a word; that names are ASCII is checked
        # when one is wanted, for then the whole word can be shown.
        if self._continues(explicit, first=True):
            self._at += 1
            while self._continues(explicit, first=False):
                self._at += 1
        elif not explicit:
            raise self._error(f"unexpected character {self._text[start]!r}")
        if explicit:
            return TokenKind.EXPLICIT_ID
        return KEYWORDS.get(self._text[start : self._at], TokenKind.ID)

    def _continues(self, explicit: bool, *, first: bool) -> bool:
        if self._at == len(self._text):
            return False
        character = self._text[self._at]
        if character == "-":
            return explicit or not first
        return character.isidentifier() if first else ("_" + character).isidentifier()

    def _error(self, message: str, *, help: str | None = None) -> WitError:  # noqa: A002
        return WitError(message, Span(self._source, self._at, self._at + 1), help=help)
