"""What a WIT type is made of, and which Python classes stand for it.

Generated code describes each type once, with these; `lift`, `lower`, `stock`
and `signature` read the description, when a function is linked and never while
it is called. Two shapes are equal only if they are the same object.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Flag, StrEnum
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True, eq=False)
class Integer:
    """An integer type; an `int` that fits."""

    bits: int
    signed: bool


@dataclass(frozen=True, slots=True, eq=False)
class Float:
    """`f32` or `f64`; a `float`, or an `int` as PEP 484 has it."""

    bits: int


@dataclass(frozen=True, slots=True, eq=False)
class Bool:
    """`bool`."""


@dataclass(frozen=True, slots=True, eq=False)
class Char:
    """`char`; a `str` of one Unicode scalar value."""


@dataclass(frozen=True, slots=True, eq=False)
class String:
    """`string`; a `str` without lone surrogates."""


@dataclass(frozen=True, slots=True, eq=False)
class Octets:
    """`list<u8>`; `bytes`."""


@dataclass(frozen=True, slots=True, eq=False)
class List:
    """`list<element>` of anything else; a `list`."""

    element: Shape


@dataclass(frozen=True, slots=True, eq=False)
class Map:
    """`map<key, value>`; a `dict`."""

    key: Shape
    value: Shape


@dataclass(frozen=True, slots=True, eq=False)
class Tuple:
    """`tuple<…>`; a `tuple`."""

    members: Sequence[Shape]


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """A record; `type` is a dataclass whose fields are in the order of `fields`."""

    type: type[Any]
    fields: Mapping[str, Shape]


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A case of a variant; `type` is a dataclass whose only field is the payload, if any."""

    type: type[Any]
    payload: Shape | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Variant:
    """A variant; one class for each case."""

    cases: Mapping[str, Case]


@dataclass(frozen=True, slots=True, eq=False)
class Enum:
    """An enum; the members' values are the labels, in order."""

    type: type[StrEnum]


@dataclass(frozen=True, slots=True, eq=False)
class Flags:
    """Flags; the members are in the order of `labels`."""

    type: type[Flag]
    labels: Sequence[str]


@dataclass(frozen=True, slots=True, eq=False)
class Option:
    """`option<payload>`; None or the payload, which stands in `some` where None is one itself."""

    payload: Shape
    some: type[Any] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """`result<ok, err>`.

    As what a function returns, it is the ok value or a `Failure`. Elsewhere it
    is an `ok_type` or an `err_type`, whose only field is the payload or None.
    """

    ok: Shape | None = None
    err: Shape | None = None
    ok_type: type[Any] | None = None
    err_type: type[Any] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Resource:
    """A resource.

    Attributes:
        name: what its interface calls it.
        guest: whether the guest implements it, not the host.
    """

    name: str
    guest: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Own:
    """`own<resource>`."""

    resource: Resource


@dataclass(frozen=True, slots=True, eq=False)
class Borrow:
    """`borrow<resource>`."""

    resource: Resource


Shape: TypeAlias = (
    Integer
    | Float
    | Bool
    | Char
    | String
    | Octets
    | List
    | Map
    | Tuple
    | Record
    | Variant
    | Enum
    | Flags
    | Option
    | Result
    | Own
    | Borrow
)

BOOL = Bool()
U8, U16, U32, U64 = (Integer(bits, signed=False) for bits in (8, 16, 32, 64))
S8, S16, S32, S64 = (Integer(bits, signed=True) for bits in (8, 16, 32, 64))
F32, F64 = Float(32), Float(64)
CHAR, STRING, OCTETS = Char(), String(), Octets()


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """A function's name and type.

    Attributes:
        name: WIT's, such as `detect-tee` or `[method]file.read`.
        params: its parameters.
        result: what it returns; None for nothing.
    """

    name: str
    params: Mapping[str, Shape]
    result: Shape | None = None

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """The shapes of the parameters and of the result."""
        return (*self.params.values(), *(() if self.result is None else (self.result,)))


@functools.cache
def mentions_resources(shape: Shape) -> bool:
    """Whether values of a shape hold resources."""
    return isinstance(shape, Own | Borrow) or any(map(mentions_resources, parts(shape)))


def parts(shape: Shape) -> tuple[Shape, ...]:
    """Returns the shapes that a shape is directly made of."""
    match shape:
        case List(element):
            return (element,)
        case Map(key, value):
            return key, value
        case Tuple(members):
            return tuple(members)
        case Record(_, fields):
            return tuple(fields.values())
        case Variant(cases):
            return tuple(case.payload for case in cases.values() if case.payload is not None)
        case Option(payload, _):
            return (payload,)
        case Result(ok, err, _, _):
            return tuple(part for part in (ok, err) if part is not None)
        case _:
            return ()
