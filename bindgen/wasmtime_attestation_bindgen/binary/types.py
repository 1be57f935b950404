"""Value and function types (component-model, Binary.md, "Type Definitions")."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from wasmtime_attestation_bindgen import syntax
from wasmtime_attestation_bindgen.binary.names import Names
from wasmtime_attestation_bindgen.binary.reader import Reader
from wasmtime_attestation_bindgen.kinds import Primitive
from wasmtime_attestation_bindgen.syntax import (
    BuiltType,
    Constructor,
    Docs,
    Member,
    Members,
    MembersForm,
    TypeExpr,
)

LARGEST_TYPE = 10_000
"""Types within a type without names; sharing would let them grow without bound."""
DEEPEST_TYPE = 100
"""Levels of a type without names, as in WIT text."""

_PRIMITIVES = {
    0x7F: Primitive.BOOL,
    0x7E: Primitive.S8,
    0x7D: Primitive.U8,
    0x7C: Primitive.S16,
    0x7B: Primitive.U16,
    0x7A: Primitive.S32,
    0x79: Primitive.U32,
    0x78: Primitive.S64,
    0x77: Primitive.U64,
    0x76: Primitive.F32,
    0x75: Primitive.F64,
    0x74: Primitive.CHAR,
    0x73: Primitive.STRING,
    0x64: Primitive.ERROR_CONTEXT,
}
_MEMBERS = {
    0x72: MembersForm.RECORD,
    0x71: MembersForm.VARIANT,
    0x6E: MembersForm.FLAGS,
    0x6D: MembersForm.ENUM,
}
# Each argument with whether it may be absent.
_BUILT = {
    0x70: (Constructor.LIST, (False,)),
    0x6B: (Constructor.OPTION, (False,)),
    0x6A: (Constructor.RESULT, (True, True)),
    0x66: (Constructor.STREAM, (True,)),
    0x65: (Constructor.FUTURE, (True,)),
    0x63: (Constructor.MAP, (False, False)),
}
_TUPLE, _OWN, _BORROW, _FIXED_LENGTH_LIST = 0x6F, 0x69, 0x68, 0x67
SYNC_FUNCTION, ASYNC_FUNCTION = 0x40, 0x43
"""The codes of function types."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Unnamed:
    """A type without a name; `size` counts the types in it, `depth` its levels."""

    body: TypeExpr | syntax.Members
    size: int
    depth: int


@dataclass(frozen=True, slots=True)
class Local:
    """A type that has a name in its scope."""

    name: syntax.Name


@dataclass(frozen=True, slots=True)
class Used:
    """A type of an imported interface."""

    path: syntax.Path
    name: syntax.Name


@dataclass(frozen=True, slots=True)
class Signature:
    """A function's type."""

    is_async: bool
    params: tuple[tuple[syntax.Name, TypeExpr], ...]
    result: TypeExpr | None


Entry: TypeAlias = Unnamed | Local | Used | Signature
"""What a scope's index of types can lead to, interfaces and worlds apart."""


class TypeReader:
    """Reads types that mention earlier ones by index.

    Args:
        reader: where they stand.
        names: what makes names.
        entry: what an index leads to; raises `WitError` where that is no type.
    """

    def __init__(self, reader: Reader, names: Names, entry: Callable[[int], Entry]) -> None:
        self._reader = reader
        self._names = names
        self._entry = entry
        self._size = 0
        self._depth = 0

    def definition(self, code: int) -> Unnamed:
        """Returns the value type that begins with `code`.

        Raises:
            WitError: the code is unknown, or what follows is malformed.
        """
        self._size, self._depth = 1, 0
        body = self._body(code)
        if self._size > LARGEST_TYPE or self._depth >= DEEPEST_TYPE:
            raise self._reader.error("a type without a name is too large or too deep")
        return Unnamed(body, self._size, self._depth + 1)

    def signature(self, code: int) -> Signature:
        """Returns the function type that begins with `code`.

        Raises:
            WitError: what follows is malformed.
        """
        params = tuple(self._vector(lambda: (self._name(), self._value())))
        kind = self._reader.byte()
        if kind not in (0x00, 0x01) or (kind == 0x01 and self._reader.byte() != 0x00):
            raise self._reader.error("a function has results of an unknown form")
        result = self._value() if kind == 0x00 else None
        return Signature(code == ASYNC_FUNCTION, params, result)

    def _body(self, code: int) -> TypeExpr | Members:
        if code in _PRIMITIVES:
            return self._primitive(code)
        if code in _MEMBERS:
            return self._members(_MEMBERS[code])
        if code in _BUILT:
            constructor, optional = _BUILT[code]
            return self._built(
                constructor, *(self._maybe() if maybe else self._value() for maybe in optional)
            )
        if code == _TUPLE:
            return self._built(Constructor.TUPLE, *self._vector(self._value))
        if code == _FIXED_LENGTH_LIST:
            return self._fixed_length_list()
        if code in (_OWN, _BORROW):
            return self._handle(owned=code == _OWN)
        raise self._reader.error(f"the unknown type {code:#04x}")

    def _primitive(self, code: int) -> TypeExpr:
        return syntax.PrimitiveType(_PRIMITIVES[code], self._names.span)

    def _value(self) -> TypeExpr:
        index = self._reader.s33()
        if index < 0:
            code = index + 0x80
            if code not in _PRIMITIVES:
                raise self._reader.error(f"the unknown type {code:#04x}")
            return self._primitive(code)
        return self._mention(index)

    def _mention(self, index: int) -> TypeExpr:
        entry = self._entry(index)
        if isinstance(entry, Local):
            return syntax.NamedType(entry.name)
        if isinstance(entry, Unnamed) and not isinstance(entry.body, Members):
            self._size += entry.size
            self._depth = max(self._depth, entry.depth)
            return entry.body
        raise self._reader.error("a type without a name stands where it needs one")

    def _maybe(self) -> TypeExpr | None:
        present = self._reader.byte()
        if present not in (0, 1):
            raise self._reader.error("an optional type is neither there nor absent")
        return self._value() if present else None

    def _vector(self, item: Callable[[], T]) -> list[T]:
        return [item() for _ in range(self._reader.count())]

    def _name(self) -> syntax.Name:
        return self._names.name(self._reader, self._reader.text())

    def _members(self, form: MembersForm) -> Members:
        return Members(form, tuple(self._vector(lambda: self._member(form))), self._names.span)

    def _member(self, form: MembersForm) -> Member:
        name, type_ = self._name(), None
        if form is MembersForm.RECORD:
            type_ = self._value()
        elif form is MembersForm.VARIANT:
            type_ = self._maybe()
            if self._reader.byte() != 0x00:
                raise self._reader.error("a case refines another one")
        return Member(name, type_, Docs())

    def _built(self, constructor: Constructor, *arguments: TypeExpr | None) -> BuiltType:
        return BuiltType(constructor, arguments, self._names.span)

    def _fixed_length_list(self) -> BuiltType:
        element = self._value()
        length = self._reader.u32()
        return BuiltType(Constructor.LIST, (element,), self._names.span, length)

    def _handle(self, *, owned: bool) -> syntax.HandleType:
        entry = self._entry(self._reader.u32())
        if not isinstance(entry, Local):
            raise self._reader.error("a handle is of something that is no resource")
        return syntax.HandleType(owned, entry.name)
