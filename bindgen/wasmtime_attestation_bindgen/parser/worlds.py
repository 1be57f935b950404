"""What stands in a world."""

from __future__ import annotations

from wasmtime_attestation_bindgen import syntax
from wasmtime_attestation_bindgen.parser.attributes import parse_attributes
from wasmtime_attestation_bindgen.parser.cursor import Cursor
from wasmtime_attestation_bindgen.parser.interfaces import (
    TYPE_DEFINITIONS,
    parse_function,
    parse_interface_item,
    parse_type_definition,
    parse_use,
)
from wasmtime_attestation_bindgen.parser.paths import parse_path
from wasmtime_attestation_bindgen.syntax import Attributes, Direction, Docs
from wasmtime_attestation_bindgen.tokens import TokenKind

_DIRECTIONS = {TokenKind(direction.value): direction for direction in Direction}


def parse_world_item(cursor: Cursor) -> syntax.WorldItem:
    """Returns the item of a world that comes next.

    Raises:
        WitError: there is none.
    """
    docs = cursor.docs()
    attributes = parse_attributes(cursor)
    if cursor.at(*_DIRECTIONS):
        direction = _DIRECTIONS[cursor.advance().kind]
        return syntax.Extern(direction, _extern(cursor, docs, attributes), docs, attributes)
    if cursor.at(TokenKind.USE):
        return parse_use(cursor, attributes)
    if cursor.at(TokenKind.INCLUDE):
        return _include(cursor, attributes)
    if cursor.at(*TYPE_DEFINITIONS):
        return parse_type_definition(cursor, docs, attributes)
    raise cursor.unexpected("`import`, `export`, `include`, `use` or a type's definition")


def _extern(
    cursor: Cursor, docs: Docs, attributes: Attributes
) -> syntax.Inline | syntax.Named | syntax.Function:
    if cursor.peek(1).kind is not TokenKind.COLON or cursor.peek(3).kind is TokenKind.SLASH:
        return _named(cursor, None)
    name = cursor.name()
    cursor.expect(TokenKind.COLON)
    if cursor.at(TokenKind.FUNC, TokenKind.ASYNC):
        function = parse_function(cursor, name, docs, attributes)
        cursor.expect(TokenKind.SEMICOLON)
        return function
    if cursor.eat(TokenKind.INTERFACE):
        return syntax.Inline(name, cursor.block(lambda: parse_interface_item(cursor)))
    if cursor.at(TokenKind.ID, TokenKind.EXPLICIT_ID):
        return _named(cursor, name)
    raise cursor.unexpected("a function, an interface or an identifier")


def _named(cursor: Cursor, label: syntax.Name | None) -> syntax.Named:
    path = parse_path(cursor)
    cursor.expect(TokenKind.SEMICOLON)
    return syntax.Named(label, path)


def _include(cursor: Cursor, attributes: Attributes) -> syntax.Include:
    cursor.expect(TokenKind.INCLUDE)
    path = parse_path(cursor)
    if not cursor.eat(TokenKind.WITH):
        cursor.expect(TokenKind.SEMICOLON)
        return syntax.Include(path, (), attributes)
    cursor.expect(TokenKind.LEFT_BRACE)
    names = cursor.list_until(TokenKind.RIGHT_BRACE, lambda: _renaming(cursor))
    return syntax.Include(path, names, attributes)


def _renaming(cursor: Cursor) -> syntax.Renamed:
    name = cursor.name()
    cursor.expect(TokenKind.AS)
    return syntax.Renamed(name, cursor.name())
