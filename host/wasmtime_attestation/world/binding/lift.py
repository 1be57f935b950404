"""Reads component values out of wasmtime's memory; see `capi` for how they lie there.

A lifter reads the val at an offset of a block of memory that was copied out.
It looks at the kind of each val before it follows an address, so a guest whose
types are not those of its host is refused and harms nobody.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from ctypes import string_at
from typing import Any

from wasmtime_attestation.world.binding import capi, plain_lift, resources, shapes
from wasmtime_attestation.world.binding.plain_lift import Lifter
from wasmtime_attestation.world.binding.scope import Scope
from wasmtime_attestation.world.binding.shapes import Shape


@functools.cache
def lifter(shape: Shape) -> Lifter:
    """Returns what reads values of a shape.

    Lifters raise `MisfitError` where they find another type.
    """
    match shape:
        case shapes.Integer() | shapes.Float():
            return plain_lift.scalar(*plain_lift.number(shape))
        case shapes.Bool():
            return plain_lift.scalar(capi.BOOL, "?")
        case shapes.Char():
            return plain_lift.char()
        case shapes.String():
            return plain_lift.string
        case shapes.Octets():
            return plain_lift.octets
        case shapes.List():
            return _list(shape)
        case shapes.Map():
            return _map(shape)
        case shapes.Own() | shapes.Borrow():
            return resources.lifter(shape)
        case _:
            return _compound(shape)


def _compound(
    shape: shapes.Tuple
    | shapes.Record
    | shapes.Variant
    | shapes.Enum
    | shapes.Flags
    | shapes.Option
    | shapes.Result,
) -> Lifter:
    match shape:
        case shapes.Tuple():
            return _tuple(shape)
        case shapes.Record():
            return _record(shape)
        case shapes.Variant():
            return _variant(shape)
        case shapes.Enum():
            return _enum(shape)
        case shapes.Flags():
            return _flags(shape)
        case shapes.Option():
            return _option(shape)
        case shapes.Result():
            return _result(shape)


def _list(shape: shapes.List) -> Lifter:
    if isinstance(shape.element, shapes.Integer | shapes.Float):
        return plain_lift.numbers(*plain_lift.number(shape.element))
    element = lifter(shape.element)

    def lift(block: bytes, at: int, scope: Scope) -> list[Any]:
        _, vals = plain_lift.read(block, at, capi.LIST, capi.VAL)
        return [element(vals, start, scope) for start in range(0, len(vals), capi.VAL)]

    return lift


def _map(shape: shapes.Map) -> Lifter:
    key, value, size = lifter(shape.key), lifter(shape.value), 2 * capi.VAL

    def lift(block: bytes, at: int, scope: Scope) -> dict[Any, Any]:
        _, pairs = plain_lift.read(block, at, capi.MAP, size)
        return {
            key(pairs, start, scope): value(pairs, start + capi.VAL, scope)
            for start in range(0, len(pairs), size)
        }

    return lift


def _members(shapes_: tuple[Shape, ...], kind: int, size: int, first: int) -> Lifter:
    """Returns what reads the values of a tuple or a record into a list."""
    members = [(lifter(shape), first + index * size) for index, shape in enumerate(shapes_)]

    def lift(block: bytes, at: int, scope: Scope) -> list[Any]:
        count, vals = plain_lift.read(block, at, kind, size)
        if count != len(members):
            plain_lift.refuse(f"{plain_lift.SEQUENCES[kind]} of {len(members)}")
        return [member(vals, start, scope) for member, start in members]

    return lift


def _tuple(shape: shapes.Tuple) -> Lifter:
    members = _members(tuple(shape.members), capi.TUPLE, capi.VAL, 0)
    return lambda block, at, scope: tuple(members(block, at, scope))


def _record(shape: shapes.Record) -> Lifter:
    fields = _members(tuple(shape.fields.values()), capi.RECORD, capi.ENTRY, capi.ENTRY_VAL)
    return lambda block, at, scope: shape.type(*fields(block, at, scope))


def _variant(shape: shapes.Variant) -> Lifter:
    cases = {
        label.encode(): (case.type, None if case.payload is None else lifter(case.payload))
        for label, case in shape.cases.items()
    }
    labels = ", ".join(shape.cases)

    def lift(block: bytes, at: int, scope: Scope) -> Any:  # noqa: ANN401 - one of the cases
        found, size, name, address = capi.CASE.unpack_from(block, at)
        if found != capi.VARIANT:
            plain_lift.refuse("a variant")
        case = cases.get(string_at(name, min(size, _MAX_LABEL)))
        if case is None:
            plain_lift.refuse(f"a variant of {labels}")
        type_, payload = case
        if (payload is None) is not (address == 0):
            plain_lift.refuse(f"a variant of {labels}")
        if payload is None:
            return type_()
        return type_(payload(string_at(address, capi.VAL), 0, scope))

    return lift


_MAX_LABEL = 1 << 16


def _enum(shape: shapes.Enum) -> Lifter:
    members = {member.value.encode(): member for member in shape.type}

    def lift(block: bytes, at: int, _scope: Scope) -> Any:  # noqa: ANN401 - a member
        _, label = plain_lift.read(block, at, capi.ENUM, 1)
        member = members.get(label)
        if member is None:
            plain_lift.refuse(f"an enum of {', '.join(shape.type)}")
        return member

    return lift


def _flags(shape: shapes.Flags) -> Lifter:
    members = {
        label.encode(): member for label, member in zip(shape.labels, shape.type, strict=True)
    }
    none = shape.type(0)

    def lift(block: bytes, at: int, _scope: Scope) -> Any:  # noqa: ANN401 - members
        _, names = plain_lift.read(block, at, capi.FLAGS, capi.NAME)
        flags = none
        for size, address in capi.PAIR.iter_unpack(names):
            member = members.get(string_at(address, min(size, _MAX_LABEL)))
            if member is None:
                plain_lift.refuse(f"flags of {', '.join(shape.labels)}")
            flags |= member
        return flags

    return lift


def _option(shape: shapes.Option) -> Lifter:
    payload, some = lifter(shape.payload), shape.some

    def lift(block: bytes, at: int, scope: Scope) -> Any:  # noqa: ANN401 - the payload
        found, address = capi.ADDRESS.unpack_from(block, at)
        if found != capi.OPTION:
            plain_lift.refuse("an option")
        if address == 0:
            return None
        value = payload(string_at(address, capi.VAL), 0, scope)
        return value if some is None else some(value)

    return lift


def _result(shape: shapes.Result) -> Lifter:
    outcome = outcome_lifter(shape)

    def lift(block: bytes, at: int, scope: Scope) -> Any:  # noqa: ANN401 - an Ok or an Err
        is_ok, value = outcome(block, at, scope)
        type_ = shape.ok_type if is_ok else shape.err_type
        if type_ is None:
            raise TypeError("only a function's own result has no classes")
        return type_(value)

    return lift


def outcome_lifter(shape: shapes.Result) -> Callable[[bytes, int, Scope], tuple[bool, Any]]:
    """Returns what reads a result, into whether it is ok and the payload."""
    ok, err = (None if part is None else lifter(part) for part in (shape.ok, shape.err))

    def lift(block: bytes, at: int, scope: Scope) -> tuple[bool, Any]:
        found, is_ok, address = capi.OUTCOME.unpack_from(block, at)
        payload = ok if is_ok else err
        if found != capi.RESULT or (payload is None) is not (address == 0):
            plain_lift.refuse("a result")
        if payload is None:
            return is_ok, None
        return is_ok, payload(string_at(address, capi.VAL), 0, scope)

    return lift
