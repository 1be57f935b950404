"""The words and signs of WIT (component-model, WIT.md, "Lexical structure")."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple

from wasmtime_attestation_bindgen.errors import WitError
from wasmtime_attestation_bindgen.source import Span


class TokenKind(StrEnum):
    """What a token is; keywords and signs have their own text as value."""

    EQUALS = "="
    COMMA = ","
    COLON = ":"
    PERIOD = "."
    SEMICOLON = ";"
    LEFT_PAREN = "("
    RIGHT_PAREN = ")"
    LEFT_BRACE = "{"
    RIGHT_BRACE = "}"
    LESS_THAN = "<"
    GREATER_THAN = ">"
    ARROW = "->"
    STAR = "*"
    AT = "@"
    SLASH = "/"
    PLUS = "+"
    MINUS = "-"

    USE = "use"
    TYPE = "type"
    FUNC = "func"
    U8 = "u8"
    U16 = "u16"
    U32 = "u32"
    U64 = "u64"
    S8 = "s8"
    S16 = "s16"
    S32 = "s32"
    S64 = "s64"
    F32 = "f32"
    F64 = "f64"
    CHAR = "char"
    RECORD = "record"
    RESOURCE = "resource"
    OWN = "own"
    BORROW = "borrow"
    FLAGS = "flags"
    VARIANT = "variant"
    ENUM = "enum"
    BOOL = "bool"
    STRING = "string"
    OPTION = "option"
    RESULT = "result"
    FUTURE = "future"
    STREAM = "stream"
    ERROR_CONTEXT = "error-context"
    LIST = "list"
    MAP = "map"
    UNDERSCORE = "_"
    AS = "as"
    FROM = "from"
    STATIC = "static"
    INTERFACE = "interface"
    TUPLE = "tuple"
    IMPORT = "import"
    EXPORT = "export"
    WORLD = "world"
    PACKAGE = "package"
    CONSTRUCTOR = "constructor"
    ASYNC = "async"
    INCLUDE = "include"
    WITH = "with"

    ID = "an identifier"
    EXPLICIT_ID = "a `%` identifier"
    INTEGER = "an integer"
    TEXT = "a string"
    END = "the end of the file"

    def describe(self) -> str:
        """Returns how an error names it."""
        if self.value in KEYWORDS:
            return f"the keyword `{self.value}`"
        return self.value if self.value[0].isalpha() else f"`{self.value}`"


KEYWORDS = {
    kind.value: kind
    for kind in TokenKind
    if kind is TokenKind.UNDERSCORE or kind.value.replace("-", "").isalnum()
}
IDENTIFIER = re.compile(
    r"(?:[a-z][a-z0-9]*|[A-Z][A-Z0-9]*)(?:-(?:[a-z0-9]+|[A-Z0-9]+))*",
)
"""A legal name, without `%`."""
SIGNS = {
    kind.value: kind
    for kind in TokenKind
    if kind.value not in KEYWORDS and not kind.value[0].isalpha()
}


class Comment(NamedTuple):
    """A comment, with its marks."""

    span: Span


class Token(NamedTuple):
    """A token.

    Attributes:
        kind: what it is.
        span: where.
        comments: those between the token before and this one.
        value: what a string says, without quotes and escapes.
    """

    kind: TokenKind
    span: Span
    comments: tuple[Comment, ...] = ()
    value: str = ""


class Broken(NamedTuple):
    """A place that holds no token; an error only if the parser gets there."""

    error: WitError
