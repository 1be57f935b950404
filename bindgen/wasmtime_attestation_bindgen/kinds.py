"""What a type can be, after names are resolved.

A type is a primitive or the index of a definition; a definition has one of the
kinds below. `references` and `rewrite` are the only places that know where in
a kind other types stand, so that every pass over types is one line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NewType, TypeAlias


class Primitive(StrEnum):
    """The types that need no definition; the value is WIT's own word."""

    BOOL = "bool"
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
    STRING = "string"
    ERROR_CONTEXT = "error-context"


TypeId = NewType("TypeId", int)
Type: TypeAlias = Primitive | TypeId


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a record."""

    name: str
    type: Type
    docs: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """A case of a variant; `type` is its payload."""

    name: str
    type: Type | None
    docs: str | None = None


@dataclass(frozen=True, slots=True)
class Label:
    """A case of an enum or one of some flags."""

    name: str
    docs: str | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """`record`."""

    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Variant:
    """`variant`."""

    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class Enum:
    """`enum`."""

    cases: tuple[Label, ...]


@dataclass(frozen=True, slots=True)
class Flags:
    """`flags`."""

    flags: tuple[Label, ...]


@dataclass(frozen=True, slots=True)
class Resource:
    """`resource`; its functions stand beside the type, not in it."""


@dataclass(frozen=True, slots=True)
class Own:
    """`own<resource>`."""

    resource: TypeId


@dataclass(frozen=True, slots=True)
class Borrow:
    """`borrow<resource>`."""

    resource: TypeId


@dataclass(frozen=True, slots=True)
class Tuple:
    """`tuple<…>`."""

    types: tuple[Type, ...]


@dataclass(frozen=True, slots=True)
class Option:
    """`option<type>`."""

    type: Type


@dataclass(frozen=True, slots=True)
class Result:
    """`result<ok, error>`, either of which may be absent."""

    ok: Type | None
    error: Type | None


@dataclass(frozen=True, slots=True)
class List:
    """`list<element>`."""

    element: Type


@dataclass(frozen=True, slots=True)
class FixedLengthList:
    """`list<element, length>`."""

    element: Type
    length: int


@dataclass(frozen=True, slots=True)
class Map:
    """`map<key, value>`."""

    key: Type
    value: Type


@dataclass(frozen=True, slots=True)
class Future:
    """`future<type>` or `future`."""

    type: Type | None


@dataclass(frozen=True, slots=True)
class Stream:
    """`stream<type>` or `stream`."""

    type: Type | None


@dataclass(frozen=True, slots=True)
class Alias:
    """Another name for a type: `type a = b` or `use interface.{b}`."""

    type: Type


@dataclass(frozen=True, slots=True)
class Unknown:
    """A type of another package that is not resolved yet; never in a finished model."""


_OfValues: TypeAlias = (
    Record | Variant | Tuple | Option | Result | List | FixedLengthList | Map | Future | Stream
)
Kind: TypeAlias = _OfValues | Enum | Flags | Resource | Own | Borrow | Alias | Unknown


def references(kind: Kind) -> Iterator[Type]:
    """Yields the types that a kind mentions directly, in the order of the text."""
    found: list[Type] = []

    def remember(type_: Type) -> Type:
        found.append(type_)
        return type_

    def remember_id(id_: TypeId) -> TypeId:
        found.append(id_)
        return id_

    rewrite(kind, remember, remember_id)
    yield from found


def rewrite(kind: Kind, value: Callable[[Type], Type], named: Callable[[TypeId], TypeId]) -> Kind:
    """Returns a kind with other types in it.

    Args:
        kind: what to rewrite.
        value: what becomes of a type that stands for a value.
        named: what becomes of a type that is meant by name: a handle's
            resource, or what an alias stands for.
    """
    match kind:
        case Own(resource) | Borrow(resource):
            return replace(kind, resource=named(resource))
        case Alias(type_):
            return Alias(type_ if isinstance(type_, Primitive) else named(type_))
        case Enum() | Flags() | Resource() | Unknown():
            return kind
        case _:
            return _rewrite_values(kind, value)


def _rewrite_values(kind: _OfValues, value: Callable[[Type], Type]) -> Kind:
    match kind:
        case Record(fields):
            return Record(tuple(replace(field, type=value(field.type)) for field in fields))
        case Variant(cases):
            return Variant(tuple(replace(case, type=_maybe(value, case.type)) for case in cases))
        case Tuple(types):
            return Tuple(tuple(map(value, types)))
        case Result(ok, error):
            return Result(_maybe(value, ok), _maybe(value, error))
        case Map(key, item):
            return Map(value(key), value(item))
        case List(element) | FixedLengthList(element):
            return replace(kind, element=value(element))
        case Option(type_):
            return Option(value(type_))
        case Future(payload) | Stream(payload):
            return replace(kind, type=_maybe(value, payload))


def _maybe(value: Callable[[Type], Type], type_: Type | None) -> Type | None:
    return None if type_ is None else value(type_)
