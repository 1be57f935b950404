"""Writes Python values as component values; see `capi` for how they lie in memory.

A lowerer returns the 32 bytes of a val. What the val points to it leaves in
the call's scope, as `bytes` that never change: any number of threads may lower
at once. wasmtime then copies the whole value with one `clone`, and would take
whatever it is given for granted: so each value is checked here.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any

from wasmtime_attestation.world.binding import capi, plain_lower, resources, shapes
from wasmtime_attestation.world.binding.misfit import MisfitError
from wasmtime_attestation.world.binding.plain_lower import Lowerer
from wasmtime_attestation.world.binding.scope import Scope
from wasmtime_attestation.world.binding.shapes import Shape


@functools.cache
def lowerer(shape: Shape) -> Lowerer:
    """Returns what writes values of a shape.

    Lowerers raise `MisfitError` for a value that does not fit.
    """
    match shape:
        case shapes.Integer():
            return plain_lower.integer(shape)
        case shapes.Float():
            return plain_lower.float_(shape)
        case shapes.Bool():
            return plain_lower.bool_
        case shapes.Char():
            return plain_lower.char
        case shapes.String():
            return plain_lower.string
        case shapes.Octets():
            return plain_lower.octets
        case shapes.List():
            return _list(shape)
        case shapes.Map():
            return _map(shape)
        case shapes.Own() | shapes.Borrow():
            return resources.lowerer(shape)
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
) -> Lowerer:
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


def _joined(lower: Lowerer, values: list[Any] | tuple[Any, ...], scope: Scope) -> bytes:
    index = 0
    vals = []
    try:
        for index, value in enumerate(values):  # noqa: B007 - for the message
            vals.append(lower(value, scope))
    except MisfitError as error:
        raise error.within(f"[{index}]") from error
    return b"".join(vals)


def _list(shape: shapes.List) -> Lowerer:
    element = lowerer(shape.element)

    def lower(value: Any, scope: Scope) -> bytes:  # noqa: ANN401 - as it comes
        if not isinstance(value, list):
            raise plain_lower.wrong(value, "a list")
        vals = _joined(element, value, scope)
        return plain_lower.sequence(capi.LIST, len(vals) // capi.VAL, vals, scope)

    return lower


def _map(shape: shapes.Map) -> Lowerer:
    key, value = lowerer(shape.key), lowerer(shape.value)

    def lower(mapping: Any, scope: Scope) -> bytes:  # noqa: ANN401 - as it comes
        if not isinstance(mapping, dict):
            raise plain_lower.wrong(mapping, "a dict")
        items = tuple(mapping.items())
        vals = _joined(lambda item, _: key(item[0], scope) + value(item[1], scope), items, scope)
        return plain_lower.sequence(capi.MAP, len(items), vals, scope)

    return lower


def _tuple(shape: shapes.Tuple) -> Lowerer:
    members = [lowerer(member) for member in shape.members]

    def lower(value: Any, scope: Scope) -> bytes:  # noqa: ANN401 - as it comes
        if not isinstance(value, tuple) or len(value) != len(members):
            raise plain_lower.wrong(value, f"a tuple of {len(members)}")
        pairs = tuple(zip(members, value, strict=True))
        vals = _joined(lambda pair, _: pair[0](pair[1], scope), pairs, scope)
        return plain_lower.sequence(capi.TUPLE, len(members), vals, scope)

    return lower


def _record(shape: shapes.Record) -> Lowerer:
    fields = [(_name(label), label, lowerer(field)) for label, field in shape.fields.items()]
    attributes: tuple[str, ...] = shape.type.__match_args__
    values = attrgetter(*attributes)
    single = len(fields) == 1

    def lower(record: Any, scope: Scope) -> bytes:  # noqa: ANN401 - as it comes
        if type(record) is not shape.type:  # a subclass's fields could change
            raise plain_lower.wrong(record, f"a {shape.type.__name__}")
        entries: list[bytes] = []
        found, label = values(record), ""
        try:
            for (name, label, field), value in zip(  # noqa: B007 - for the message
                fields, (found,) if single else found, strict=True
            ):
                entries += name, field(value, scope)
        except MisfitError as error:
            raise error.within(label) from error
        return plain_lower.sequence(capi.RECORD, len(fields), b"".join(entries), scope)

    return lower


class _Names(dict[str, bytes]):
    """Labels, encoded once and kept for good, since headers hold their addresses."""

    def __missing__(self, label: str) -> bytes:
        return self.setdefault(label, label.encode())


_NAMES = _Names()


def _name(label: str) -> bytes:
    """Returns the size and the address of a label."""
    data = _NAMES[label]
    return capi.PAIR.pack(len(data), capi.address(data))


def _variant(shape: shapes.Variant) -> Lowerer:
    cases = {
        case.type: (label, len(_NAMES[label]), capi.address(_NAMES[label]), _payload(case))
        for label, case in shape.cases.items()
    }
    expected = " or ".join(case.type.__name__ for case in shape.cases.values())

    def lower(value: Any, scope: Scope) -> bytes:  # noqa: ANN401 - as it comes
        case = cases.get(type(value))
        if case is None:
            raise plain_lower.wrong(value, f"a {expected}")
        label, size, address, payload = case
        if payload is None:
            return capi.CASE.pack(capi.VARIANT, size, address, 0)
        get, lower_payload = payload
        try:
            boxed = plain_lower.boxed(lower_payload(get(value), scope), scope)
        except MisfitError as error:
            raise error.within(label) from error
        return capi.CASE.pack(capi.VARIANT, size, address, boxed)

    return lower


def _payload(case: shapes.Case) -> tuple[Callable[[Any], Any], Lowerer] | None:
    if case.payload is None:
        return None
    attributes: tuple[str, ...] = case.type.__match_args__
    return attrgetter(*attributes), lowerer(case.payload)


def _enum(shape: shapes.Enum) -> Lowerer:
    vals: Mapping[Any, bytes] = {
        member: capi.SEQUENCE.pack(
            capi.ENUM, len(_NAMES[member.value]), capi.address(_NAMES[member.value])
        )
        for member in shape.type
    }

    def lower(value: Any, _scope: Scope) -> bytes:  # noqa: ANN401 - as it comes
        if type(value) is not shape.type:  # a str with the same text is equal to a member
            raise plain_lower.wrong(value, f"a {shape.type.__name__}")
        return vals[value]

    return lower


def _flags(shape: shapes.Flags) -> Lowerer:
    names = [(flag, _name(label)) for flag, label in zip(shape.type, shape.labels, strict=True)]

    def lower(value: Any, scope: Scope) -> bytes:  # noqa: ANN401 - as it comes
        if type(value) is not shape.type:
            raise plain_lower.wrong(value, f"a {shape.type.__name__}")
        present = [name for flag, name in names if flag in value]
        return plain_lower.sequence(capi.FLAGS, len(present), b"".join(present), scope)

    return lower


_NONE = capi.ADDRESS.pack(capi.OPTION, 0)


def _option(shape: shapes.Option) -> Lowerer:
    payload, some = lowerer(shape.payload), shape.some

    def lower(value: Any, scope: Scope) -> bytes:  # noqa: ANN401 - as it comes
        if value is None:
            return _NONE
        if some is not None:
            if type(value) is not some:
                raise plain_lower.wrong(value, f"a {some.__name__}")
            value = value.value
        return capi.ADDRESS.pack(capi.OPTION, plain_lower.boxed(payload(value, scope), scope))

    return lower


def _result(shape: shapes.Result) -> Lowerer:
    ok, err = outcome_lowerer(shape, is_ok=True), outcome_lowerer(shape, is_ok=False)

    def lower(value: Any, scope: Scope) -> bytes:  # noqa: ANN401 - as it comes
        if type(value) is shape.ok_type:
            return ok(value.value, scope)
        if type(value) is shape.err_type:
            return err(value.value, scope)
        raise plain_lower.wrong(value, "an Ok or an Err")

    return lower


def outcome_lowerer(shape: shapes.Result, *, is_ok: bool) -> Lowerer:
    """Returns what writes a result, given the payload of one of its cases."""
    part = shape.ok if is_ok else shape.err
    if part is None:
        return lambda _value, _scope: capi.OUTCOME.pack(capi.RESULT, is_ok, 0)
    payload = lowerer(part)

    def lower(value: Any, scope: Scope) -> bytes:  # noqa: ANN401 - as it comes
        return capi.OUTCOME.pack(
            capi.RESULT, is_ok, plain_lower.boxed(payload(value, scope), scope)
        )

    return lower
