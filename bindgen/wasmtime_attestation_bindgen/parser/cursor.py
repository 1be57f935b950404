"""Walking through tokens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from wasmtime_attestation_bindgen import syntax
from wasmtime_attestation_bindgen.docs import documentation
from wasmtime_attestation_bindgen.errors import WitError
from wasmtime_attestation_bindgen.lexer import Tokens
from wasmtime_attestation_bindgen.tokens import IDENTIFIER, KEYWORDS, Broken, Token, TokenKind

DEEPEST = 100
"""How deep packages and types may nest in text; wit-parser's limit."""

T = TypeVar("T")


class Cursor:
    """A place among tokens, with the next few in sight.

    Args:
        tokens: as `lexer.tokenize` returns them.
    """

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth: Counter[str] = Counter()

    def peek(self, ahead: int = 0) -> Token:
        """Returns a coming token; the last one again where there are no more.

        Raises:
            WitError: that place holds no token.
        """
        token = self._tokens[min(self._at + ahead, len(self._tokens) - 1)]
        if isinstance(token, Broken):
            raise token.error
        return token

    def at(self, *kinds: TokenKind) -> bool:
        """Whether the next token is of one of these kinds."""
        return self.peek().kind in kinds

    def advance(self) -> Token:
        """Returns the next token and steps over it."""
        token = self.peek()
        self._at += 1
        return token

    def eat(self, kind: TokenKind) -> bool:
        """Steps over the next token if it is of this kind; returns whether it was."""
        found = self.at(kind)
        if found:
            self.advance()
        return found

    def expect(self, kind: TokenKind) -> Token:
        """Returns the next token and steps over it.

        Raises:
            WitError: it is of another kind.
        """
        if not self.at(kind):
            raise self.unexpected(kind.describe())
        return self.advance()

    def unexpected(self, wanted: str) -> WitError:
        """Returns the error for a next token that fits nowhere."""
        found = self.peek()
        hint = None
        if found.kind.value in KEYWORDS and "identifier" in wanted:
            hint = f"write `%{found.kind.value}` to use the keyword as a name"
        return WitError(f"expected {wanted}, found {found.kind.describe()}", found.span, help=hint)

    def name(self) -> syntax.Name:
        """Returns the identifier that comes next and steps over it.

        Raises:
            WitError: it is none, or not in kebab case.
        """
        if not self.at(TokenKind.ID, TokenKind.EXPLICIT_ID):
            raise self.unexpected("an identifier")
        token = self.advance()
        text = token.span.text.removeprefix("%")
        if not IDENTIFIER.fullmatch(text):
            raise WitError(
                f"`{text}` is not a legal name",
                token.span,
                help="a name is made of words of ASCII letters and digits, each all lower "
                "or all upper case, joined by single `-`; the first begins with a letter",
            )
        return syntax.Name(text, token.span)

    def docs(self) -> syntax.Docs:
        """Returns the comments before the next token, as documentation."""
        comments = self.peek().comments
        if not comments:
            return syntax.Docs()
        return syntax.Docs(documentation(c.span.text for c in comments), comments[0].span)

    def list_until(self, end: TokenKind, item: Callable[[], T]) -> tuple[T, ...]:
        """Returns items separated by commas, one after the last allowed, and steps over the end."""
        items: list[T] = []
        while not self.eat(end):
            items.append(item())
            if not self.eat(TokenKind.COMMA):
                self.expect(end)
                break
        return tuple(items)

    def block(self, item: Callable[[], T]) -> tuple[T, ...]:
        """Returns items between braces, and steps over the braces."""
        self.expect(TokenKind.LEFT_BRACE)
        items: list[T] = []
        while not self.eat(TokenKind.RIGHT_BRACE):
            items.append(item())
        return tuple(items)

    @contextmanager
    def nested(self, what: str) -> Iterator[None]:
        """Counts how deep something nests while it is parsed.

        Raises:
            WitError: too deep.
        """
        if self._depth[what] == DEEPEST:
            raise WitError(f"{what} nesting exceeds {DEEPEST} levels", self.peek().span)
        self._depth[what] += 1
        yield
        self._depth[what] -= 1
