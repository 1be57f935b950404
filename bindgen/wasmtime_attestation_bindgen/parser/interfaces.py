"""What stands in an interface: functions, type definitions, `use`."""

from __future__ import annotations

from wasmtime_attestation_bindgen import syntax
from wasmtime_attestation_bindgen.model import Form
from wasmtime_attestation_bindgen.parser.attributes import parse_attributes
from wasmtime_attestation_bindgen.parser.cursor import Cursor
from wasmtime_attestation_bindgen.parser.paths import parse_path, parse_renamed
from wasmtime_attestation_bindgen.parser.types import parse_type
from wasmtime_attestation_bindgen.source import Span
from wasmtime_attestation_bindgen.syntax import Attributes, Docs, MembersForm
from wasmtime_attestation_bindgen.tokens import TokenKind

_MEMBERS = {TokenKind(form.value): form for form in MembersForm}
TYPE_DEFINITIONS = (TokenKind.TYPE, TokenKind.RESOURCE, *_MEMBERS)
"""The keywords that begin a type's definition."""


def parse_interface_item(cursor: Cursor) -> syntax.InterfaceItem:
    """Returns the item of an interface that comes next.

    Raises:
        WitError: there is none.
    """
    docs = cursor.docs()
    attributes = parse_attributes(cursor)
    if cursor.at(*TYPE_DEFINITIONS):
        return parse_type_definition(cursor, docs, attributes)
    if cursor.at(TokenKind.ID, TokenKind.EXPLICIT_ID):
        name = cursor.name()
        cursor.expect(TokenKind.COLON)
        function = parse_function(cursor, name, docs, attributes)
        cursor.expect(TokenKind.SEMICOLON)
        return function
    if cursor.at(TokenKind.USE):
        return parse_use(cursor, attributes)
    raise cursor.unexpected("a function, a type's definition or `use`")


def parse_function(
    cursor: Cursor,
    name: syntax.Name,
    docs: Docs,
    attributes: Attributes,
    form: Form = Form.FREESTANDING,
) -> syntax.Function:
    """Returns the function whose type comes next.

    Raises:
        WitError: no function type comes next.
    """
    is_async = cursor.eat(TokenKind.ASYNC)
    span = cursor.expect(TokenKind.FUNC).span
    params, result = _signature(cursor)
    return syntax.Function(name, form, is_async, params, result, span, docs, attributes)


def _signature(
    cursor: Cursor,
) -> tuple[tuple[tuple[syntax.Name, syntax.TypeExpr], ...], syntax.TypeExpr | None]:
    cursor.expect(TokenKind.LEFT_PAREN)
    params = cursor.list_until(TokenKind.RIGHT_PAREN, lambda: _named_type(cursor))
    return params, parse_type(cursor) if cursor.eat(TokenKind.ARROW) else None


def _named_type(cursor: Cursor) -> tuple[syntax.Name, syntax.TypeExpr]:
    name = cursor.name()
    cursor.expect(TokenKind.COLON)
    return name, parse_type(cursor)


def parse_use(cursor: Cursor, attributes: Attributes) -> syntax.Use:
    """Returns the `use path.{names};` that comes next.

    Raises:
        WitError: it is malformed.
    """
    cursor.expect(TokenKind.USE)
    path = parse_path(cursor)
    cursor.expect(TokenKind.PERIOD)
    cursor.expect(TokenKind.LEFT_BRACE)
    names = cursor.list_until(TokenKind.RIGHT_BRACE, lambda: parse_renamed(cursor))
    cursor.expect(TokenKind.SEMICOLON)
    return syntax.Use(path, names, attributes)


def parse_type_definition(cursor: Cursor, docs: Docs, attributes: Attributes) -> syntax.TypeDef:
    """Returns the type's definition that comes next.

    Raises:
        WitError: it is malformed.
    """
    keyword = cursor.advance().kind
    name = cursor.name()
    body: syntax.TypeBody
    if keyword is TokenKind.TYPE:
        cursor.expect(TokenKind.EQUALS)
        body = parse_type(cursor)
        cursor.expect(TokenKind.SEMICOLON)
    elif keyword is TokenKind.RESOURCE:
        body = _resource(cursor)
    else:
        body = _members(cursor, _MEMBERS[keyword], name.span)
    return syntax.TypeDef(name, body, docs, attributes)


def _members(cursor: Cursor, form: MembersForm, span: Span) -> syntax.Members:
    cursor.expect(TokenKind.LEFT_BRACE)
    members = cursor.list_until(TokenKind.RIGHT_BRACE, lambda: _member(cursor, form))
    return syntax.Members(form, members, span)


def _member(cursor: Cursor, form: MembersForm) -> syntax.Member:
    docs = cursor.docs()
    if form is MembersForm.RECORD:
        name, type_ = _named_type(cursor)
        return syntax.Member(name, type_, docs)
    name = cursor.name()
    payload = None
    if form is MembersForm.VARIANT and cursor.eat(TokenKind.LEFT_PAREN):
        payload = parse_type(cursor)
        cursor.expect(TokenKind.RIGHT_PAREN)
    return syntax.Member(name, payload, docs)


def _resource(cursor: Cursor) -> syntax.Resource:
    if cursor.eat(TokenKind.SEMICOLON):
        return syntax.Resource(())
    return syntax.Resource(cursor.block(lambda: _resource_function(cursor)))


def _resource_function(cursor: Cursor) -> syntax.Function:
    docs = cursor.docs()
    attributes = parse_attributes(cursor)
    if cursor.at(TokenKind.CONSTRUCTOR):
        function = _constructor(cursor, docs, attributes)
    elif cursor.at(TokenKind.ID, TokenKind.EXPLICIT_ID):
        name = cursor.name()
        cursor.expect(TokenKind.COLON)
        form = Form.STATIC if cursor.eat(TokenKind.STATIC) else Form.METHOD
        function = parse_function(cursor, name, docs, attributes, form)
    else:
        raise cursor.unexpected("`constructor` or a method's name")
    cursor.expect(TokenKind.SEMICOLON)
    return function


def _constructor(cursor: Cursor, docs: Docs, attributes: Attributes) -> syntax.Function:
    span = cursor.advance().span
    params, result = _signature(cursor)
    return syntax.Function(
        name=syntax.Name("constructor", span),
        form=Form.CONSTRUCTOR,
        is_async=False,
        params=params,
        result=result,
        span=span,
        docs=docs,
        attributes=attributes,
    )
