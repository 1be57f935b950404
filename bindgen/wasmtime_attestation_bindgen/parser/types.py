"""Types where they are used."""

from __future__ import annotations

from collections.abc import Callable

from wasmtime_attestation_bindgen import syntax
from wasmtime_attestation_bindgen.errors import WitError
from wasmtime_attestation_bindgen.kinds import Primitive
from wasmtime_attestation_bindgen.parser.cursor import Cursor
from wasmtime_attestation_bindgen.syntax import BuiltType, Constructor, TypeExpr
from wasmtime_attestation_bindgen.tokens import TokenKind

LONGEST_LIST = 2**32 - 1
"""The largest length of a fixed-length list; the binary format holds 32 bits."""

_PRIMITIVES = {TokenKind(primitive.value): primitive for primitive in Primitive}
_CONSTRUCTORS = {TokenKind(constructor.value): constructor for constructor in Constructor}
_Arguments = tuple[TypeExpr | None, ...]


def parse_type(cursor: Cursor) -> TypeExpr:
    """Returns the type that comes next.

    Raises:
        WitError: there is none.
    """
    with cursor.nested("type"):
        token = cursor.peek()
        if token.kind in (TokenKind.ID, TokenKind.EXPLICIT_ID):
            return syntax.NamedType(cursor.name())
        if token.kind in _PRIMITIVES:
            return syntax.PrimitiveType(_PRIMITIVES[token.kind], cursor.advance().span)
        if token.kind in (TokenKind.OWN, TokenKind.BORROW):
            return _handle(cursor)
        if token.kind in _CONSTRUCTORS:
            return _built(cursor, _CONSTRUCTORS[token.kind])
        raise cursor.unexpected("a type")


def _handle(cursor: Cursor) -> syntax.HandleType:
    owned = cursor.advance().kind is TokenKind.OWN
    cursor.expect(TokenKind.LESS_THAN)
    resource = cursor.name()
    cursor.expect(TokenKind.GREATER_THAN)
    return syntax.HandleType(owned, resource)


def _built(cursor: Cursor, constructor: Constructor) -> BuiltType:
    span = cursor.advance().span
    if constructor is Constructor.LIST:
        element, length = _list(cursor)
        return BuiltType(constructor, (element,), span, length)
    return BuiltType(constructor, _ARGUMENTS[constructor](cursor), span)


def _list(cursor: Cursor) -> tuple[TypeExpr, int | None]:
    cursor.expect(TokenKind.LESS_THAN)
    element = parse_type(cursor)
    length = _length(cursor) if cursor.eat(TokenKind.COMMA) else None
    cursor.expect(TokenKind.GREATER_THAN)
    return element, length


def _length(cursor: Cursor) -> int:
    if not cursor.at(TokenKind.INTEGER):
        raise cursor.unexpected("the length of the list")
    span = cursor.advance().span
    digits = span.text.lstrip("0")
    # 32 bits have at most ten digits; int() of very many digits is slow.
    if len(digits) > 10 or int(digits or "0") > LONGEST_LIST:
        raise WitError(f"a list has at most {LONGEST_LIST} elements", span)
    return int(digits or "0")


def _map(cursor: Cursor) -> _Arguments:
    cursor.expect(TokenKind.LESS_THAN)
    key = parse_type(cursor)
    cursor.expect(TokenKind.COMMA)
    value = parse_type(cursor)
    cursor.expect(TokenKind.GREATER_THAN)
    return key, value


def _option(cursor: Cursor) -> _Arguments:
    cursor.expect(TokenKind.LESS_THAN)
    type_ = parse_type(cursor)
    cursor.expect(TokenKind.GREATER_THAN)
    return (type_,)


def _result(cursor: Cursor) -> _Arguments:
    if not cursor.eat(TokenKind.LESS_THAN):
        return None, None
    ok = error = None
    if cursor.eat(TokenKind.UNDERSCORE):
        cursor.expect(TokenKind.COMMA)
        error = parse_type(cursor)
    else:
        ok = parse_type(cursor)
        error = parse_type(cursor) if cursor.eat(TokenKind.COMMA) else None
    cursor.expect(TokenKind.GREATER_THAN)
    return ok, error


def _tuple(cursor: Cursor) -> _Arguments:
    cursor.expect(TokenKind.LESS_THAN)
    return cursor.list_until(TokenKind.GREATER_THAN, lambda: parse_type(cursor))


def _payload(cursor: Cursor) -> _Arguments:
    return _option(cursor) if cursor.at(TokenKind.LESS_THAN) else (None,)


_ARGUMENTS: dict[Constructor, Callable[[Cursor], _Arguments]] = {
    Constructor.MAP: _map,
    Constructor.OPTION: _option,
    Constructor.RESULT: _result,
    Constructor.TUPLE: _tuple,
    Constructor.FUTURE: _payload,
    Constructor.STREAM: _payload,
}
