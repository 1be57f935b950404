"""A whole file: packages, interfaces, worlds."""

from __future__ import annotations

from wasmtime_attestation_bindgen import syntax
from wasmtime_attestation_bindgen.errors import WitError
from wasmtime_attestation_bindgen.lexer import tokenize
from wasmtime_attestation_bindgen.parser.attributes import parse_attributes
from wasmtime_attestation_bindgen.parser.cursor import Cursor
from wasmtime_attestation_bindgen.parser.interfaces import parse_interface_item
from wasmtime_attestation_bindgen.parser.paths import parse_package_id, parse_path
from wasmtime_attestation_bindgen.parser.worlds import parse_world_item
from wasmtime_attestation_bindgen.source import Source
from wasmtime_attestation_bindgen.syntax import Attributes, Docs
from wasmtime_attestation_bindgen.tokens import TokenKind


def parse(source: Source) -> syntax.Package:
    """Returns the syntax tree of a file.

    Raises:
        WitError: the text is not WIT.
    """
    tokens = tokenize(source)
    id_, docs, cursor = None, Docs(), Cursor(tokens)
    if cursor.at(TokenKind.PACKAGE):
        ahead = Cursor(tokens)
        ahead_docs = ahead.docs()
        ahead.advance()
        ahead_id = parse_package_id(ahead)
        # `package a:b { … }` is an item of the file, not its header.
        if ahead.eat(TokenKind.SEMICOLON):
            id_, docs, cursor = ahead_id, ahead_docs, ahead
    items: list[syntax.PackageItem] = []
    while not cursor.at(TokenKind.END):
        items.append(_item(cursor))
    return syntax.Package(id_, docs, tuple(items))


def _item(cursor: Cursor) -> syntax.PackageItem:
    docs = cursor.docs()
    attributes = parse_attributes(cursor)
    if cursor.at(TokenKind.INTERFACE):
        return _interface(cursor, docs, attributes)
    if cursor.at(TokenKind.WORLD):
        return _world(cursor, docs, attributes)
    if cursor.at(TokenKind.USE):
        return _use(cursor, attributes)
    if cursor.at(TokenKind.PACKAGE):
        return _nested_package(cursor, docs, attributes)
    raise cursor.unexpected("an interface, a world, `use` or a nested package")


def _interface(cursor: Cursor, docs: Docs, attributes: Attributes) -> syntax.Interface:
    cursor.advance()
    name = cursor.name()
    items = cursor.block(lambda: parse_interface_item(cursor))
    return syntax.Interface(name, items, docs, attributes)


def _world(cursor: Cursor, docs: Docs, attributes: Attributes) -> syntax.World:
    cursor.advance()
    name = cursor.name()
    return syntax.World(name, cursor.block(lambda: parse_world_item(cursor)), docs, attributes)


def _use(cursor: Cursor, attributes: Attributes) -> syntax.TopLevelUse:
    span = cursor.advance().span
    path = parse_path(cursor)
    name = cursor.name() if cursor.eat(TokenKind.AS) else path.name
    cursor.expect(TokenKind.SEMICOLON)
    return syntax.TopLevelUse(path, name, span, attributes)


def _nested_package(cursor: Cursor, docs: Docs, attributes: Attributes) -> syntax.Package:
    with cursor.nested("package"):
        span = cursor.advance().span
        if attributes.span is not None:
            raise WitError("a nested package takes no attributes", span)
        id_ = parse_package_id(cursor)
        return syntax.Package(id_, docs, cursor.block(lambda: _item(cursor)))
