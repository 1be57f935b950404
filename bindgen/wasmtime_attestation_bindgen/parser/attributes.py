"""`@since`, `@unstable`, `@deprecated` and `@external-id`, and versions."""

from __future__ import annotations

from dataclasses import dataclass, field

from wasmtime_attestation_bindgen import syntax
from wasmtime_attestation_bindgen.errors import WitError
from wasmtime_attestation_bindgen.model import Stability
from wasmtime_attestation_bindgen.parser.cursor import Cursor
from wasmtime_attestation_bindgen.source import Span
from wasmtime_attestation_bindgen.tokens import TokenKind
from wasmtime_attestation_bindgen.versions import Version


@dataclass(slots=True)
class _Gathered:
    """The attributes of one item, each at most once."""

    values: dict[str, Version | str] = field(default_factory=dict)
    spans: dict[str, Span] = field(default_factory=dict)

    def add(self, name: syntax.Name, value: Version | str) -> None:
        if name.text in self.values:
            raise WitError(f"`@{name.text}` is given twice", name.span)
        self.values[name.text] = value
        self.spans[name.text] = name.span

    def version(self, name: str) -> Version | None:
        value = self.values.get(name)
        return value if isinstance(value, Version) else None

    def text(self, name: str) -> str | None:
        value = self.values.get(name)
        return value if isinstance(value, str) else None

    def attributes(self) -> syntax.Attributes:
        stability = Stability(
            self.version("since"), self.text("unstable"), self.version("deprecated")
        )
        gates = [name for name in self.spans if name in ("since", "unstable")]
        if len(gates) > 1:
            raise WitError(
                "an item is either `@since` or `@unstable`, not both", self.spans[gates[1]]
            )
        if stability.deprecated is not None and not gates:
            raise WitError(
                "`@deprecated` needs `@since` or `@unstable` beside it", self.spans["deprecated"]
            )
        first = next(iter(self.spans.values()), None)
        return syntax.Attributes(stability, self.text("external-id"), first)


def parse_attributes(cursor: Cursor) -> syntax.Attributes:
    """Returns the attributes that come next, none included.

    Raises:
        WitError: an attribute is unknown, malformed, or does not go with another.
    """
    gathered = _Gathered()
    while cursor.eat(TokenKind.AT):
        name = cursor.name()
        gathered.add(name, _value(cursor, name))
    return gathered.attributes()


def _value(cursor: Cursor, attribute: syntax.Name) -> Version | str:
    match attribute.text:
        case "since" | "deprecated":
            _open(cursor, "version")
            value: Version | str = parse_version(cursor)[0]
        case "unstable":
            _open(cursor, "feature")
            value = cursor.name().text
        case "external-id":
            cursor.expect(TokenKind.LEFT_PAREN)
            value = cursor.expect(TokenKind.TEXT).value
        case unknown:
            raise WitError(
                f"unknown attribute `@{unknown}`",
                attribute.span,
                help="there are `@since`, `@unstable`, `@deprecated` and `@external-id`",
            )
    cursor.expect(TokenKind.RIGHT_PAREN)
    return value


def _open(cursor: Cursor, argument: str) -> None:
    cursor.expect(TokenKind.LEFT_PAREN)
    name = cursor.name()
    if name.text != argument:
        raise WitError(f"expected `{argument}`, found `{name.text}`", name.span)
    cursor.expect(TokenKind.EQUALS)


def parse_version(cursor: Cursor) -> tuple[Version, Span]:
    """Returns the semantic version that comes next, and where it stands.

    Raises:
        WitError: there is none.
    """
    first = cursor.expect(TokenKind.INTEGER).span
    cursor.expect(TokenKind.PERIOD)
    cursor.expect(TokenKind.INTEGER)
    cursor.expect(TokenKind.PERIOD)
    last = cursor.expect(TokenKind.INTEGER).span
    for mark in (TokenKind.MINUS, TokenKind.PLUS):
        if cursor.eat(mark):
            last = _identifiers(cursor) or last
    span = first.to(last)
    try:
        return Version.parse(span.text), span
    except ValueError as error:
        raise WitError(str(error), span) from error


def _identifiers(cursor: Cursor) -> Span | None:
    """Steps over the identifiers after `-` or `+`; returns where the last one stands."""
    parts = (TokenKind.ID, TokenKind.INTEGER, TokenKind.MINUS)
    last = None
    while True:
        # In `use a:b/c@1.0.0-rc.{d}` the second period is no longer the version's.
        if cursor.at(TokenKind.PERIOD) and cursor.peek(1).kind in parts:
            cursor.advance()
        elif not cursor.at(*parts):
            return last
        last = cursor.advance().span
