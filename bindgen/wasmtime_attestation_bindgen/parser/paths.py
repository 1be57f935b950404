"""Names of packages, and of what stands in them."""

from __future__ import annotations

from wasmtime_attestation_bindgen import syntax
from wasmtime_attestation_bindgen.model import PackageName
from wasmtime_attestation_bindgen.parser.attributes import parse_version
from wasmtime_attestation_bindgen.parser.cursor import Cursor
from wasmtime_attestation_bindgen.tokens import TokenKind


def parse_package_id(cursor: Cursor) -> syntax.PackageId:
    """Returns the `namespace:name@version` that comes next.

    Raises:
        WitError: it is malformed.
    """
    namespace = cursor.name()
    cursor.expect(TokenKind.COLON)
    name = cursor.name()
    version, end = None, name.span
    if cursor.eat(TokenKind.AT):
        version, end = parse_version(cursor)
    return syntax.PackageId(PackageName(namespace.text, name.text, version), namespace.span.to(end))


def parse_path(cursor: Cursor) -> syntax.Path:
    """Returns the `name` or `namespace:package/name@version` that comes next.

    Raises:
        WitError: it is malformed.
    """
    first = cursor.name()
    if not cursor.eat(TokenKind.COLON):
        return syntax.Path(None, first)
    package = cursor.name()
    cursor.expect(TokenKind.SLASH)
    name = cursor.name()
    version = parse_version(cursor)[0] if cursor.eat(TokenKind.AT) else None
    full = PackageName(first.text, package.text, version)
    return syntax.Path(syntax.PackageId(full, first.span.to(package.span)), name)


def parse_renamed(cursor: Cursor) -> syntax.Renamed:
    """Returns the `name` or `name as other` that comes next.

    Raises:
        WitError: it is malformed.
    """
    name = cursor.name()
    return syntax.Renamed(name, cursor.name() if cursor.eat(TokenKind.AS) else name)
