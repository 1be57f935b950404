"""The same values as wasmtime-py's own component API has them: the slow path."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from wasmtime.component import Record, ResourceAny, ResourceHost, Variant

from wasmtime_attestation.world.binding import lower as fast
from wasmtime_attestation.world.binding import shapes, stock_cases
from wasmtime_attestation.world.binding.handles import Handles
from wasmtime_attestation.world.binding.misfit import MisfitError
from wasmtime_attestation.world.binding.scope import NO_HANDLES, Scope
from wasmtime_attestation.world.binding.shapes import Shape
from wasmtime_attestation.world.host_calls import pass_bytes


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a host function: the store that it is in, and the resources of the two sides."""

    store: Any
    handles: Handles


Converter: TypeAlias = Callable[[Any, Call], Any]


def checked_lifter(shape: Shape) -> Converter:
    """Returns what makes this package's values of wasmtime-py's, and refuses what does not fit."""
    check, convert = fast.lowerer(shape), lifter(shape)

    def lift(value: Any, call: Call) -> Any:  # noqa: ANN401 - of any class
        lifted = convert(value, call)
        check(lifted, Scope(0, NO_HANDLES))
        return lifted

    return lift


@functools.cache
def lifter(shape: Shape) -> Converter:
    """Returns what makes this package's values of wasmtime-py's."""
    match shape:
        case shapes.String() | shapes.Octets():
            return _counted
        case shapes.List(element):
            each = _each(lifter(element), list)
            return lambda value, call: each(_counted(value, call), call)
        case shapes.Tuple(members):
            return _members([lifter(member) for member in members])
        case shapes.Record(type_, fields):
            getters = [(label, lifter(field)) for label, field in fields.items()]
            return lambda value, call: type_(
                *[lift(getattr(value, label), call) for label, lift in getters]
            )
        case shapes.Enum(type_):
            return lambda value, _call: type_(value)
        case shapes.Flags(type_, labels):
            flags = dict(zip(labels, type_, strict=True))
            return lambda value, _call: functools.reduce(
                type_.__or__, map(flags.__getitem__, value), type_(0)
            )
        case shapes.Variant() | shapes.Option() | shapes.Result():
            return _case_lifter(shape)
        case shapes.Own() | shapes.Borrow():
            return _resource_lifter(shape)
        case _:
            return lambda value, _call: value


def _counted(value: Any, _call: Call) -> Any:  # noqa: ANN401 - a text or a list
    pass_bytes(len(value.encode() if isinstance(value, str) else value))
    return value


def _each(convert: Converter, make: type) -> Converter:
    return lambda values, call: make(convert(value, call) for value in values)


def _members(converters: list[Converter]) -> Converter:
    return lambda values, call: tuple(
        convert(value, call) for convert, value in zip(converters, values, strict=True)
    )


def _case_lifter(shape: shapes.Variant | shapes.Option | shapes.Result) -> Converter:
    opened, rebuild = opener(shape), _builder(shape)
    return lambda value, call: rebuild(*opened(value, call))


def opener(shape: Shape) -> Callable[[Any, Call], tuple[str, Any]]:
    """Returns what reads a variant, option or result, into its case and payload."""
    cases = stock_cases.cases(shape) or {}
    lifters = {label: lifter(payload) for label, payload in cases.items() if payload is not None}
    is_tagged = stock_cases.tagged(cases)
    by_class = {
        type(None) if class_ is object else class_: label
        for label, payload in cases.items()
        for class_ in stock_cases.payload_classes(payload)
    }

    def open_(value: Any, call: Call) -> tuple[str, Any]:  # noqa: ANN401 - wasmtime-py's
        label = value.tag if is_tagged else by_class[type(value)]
        lift = lifters.get(label)
        payload = value.payload if is_tagged else value
        return label, None if lift is None else lift(payload, call)

    return open_


def _builder(shape: shapes.Variant | shapes.Option | shapes.Result) -> Callable[[str, Any], Any]:
    match shape:
        case shapes.Variant(cases):
            return lambda label, payload: (
                cases[label].type() if cases[label].payload is None else cases[label].type(payload)
            )
        case shapes.Option(_, some):
            return lambda label, payload: (
                None if label == "none" else payload if some is None else some(payload)
            )
        case shapes.Result(_, _, ok_type, err_type):
            types = {"ok": ok_type, "err": err_type}
            return lambda label, payload: types[label](payload)  # type: ignore[misc]


@functools.cache
def lowerer(shape: Shape) -> Converter:
    """Returns what makes wasmtime-py's values of this package's, checked like on the fast path."""
    check, convert = fast.lowerer(shape), _lowerer(shape)

    def lower(value: Any, call: Call) -> Any:  # noqa: ANN401 - wasmtime-py's
        check(
            value, Scope(0, NO_HANDLES)
        )  # writes what nobody reads, and refuses what does not fit
        return convert(value, call)

    return lower


@functools.cache
def _lowerer(shape: Shape) -> Converter:
    match shape:
        case shapes.List(element):
            return _each(_lowerer(element), list)
        case shapes.Tuple(members):
            return _members([_lowerer(member) for member in members])
        case shapes.Record():
            return _record(shape)
        case shapes.Enum():
            return lambda value, _call: value.value
        case shapes.Flags(type_, labels):
            flags = list(zip(labels, type_, strict=True))
            return lambda value, _call: {label for label, flag in flags if flag in value}
        case shapes.Variant() | shapes.Option() | shapes.Result():
            split, close = _splitter(shape), closer(shape)
            return lambda value, call: close(*split(value), call)
        case shapes.Own() | shapes.Borrow():
            return _resource_lowerer(shape)
        case _:
            return _plain(shape)


def _plain(shape: Shape) -> Converter:
    """Returns what makes plain values: wasmtime-py would call what a subclass overrides."""
    match shape:
        case shapes.Float():
            return lambda value, _call: float(value)
        case shapes.String() | shapes.Char():
            return lambda value, _call: str.__str__(value)
        case shapes.Octets():
            return lambda value, _call: b"".join((value,))
        case _:
            return lambda value, _call: value


def _record(shape: shapes.Record) -> Converter:
    attributes = shape.type.__match_args__
    fields = [
        (label, attribute, _lowerer(field))
        for (label, field), attribute in zip(shape.fields.items(), attributes, strict=True)
    ]

    def lower(value: Any, call: Call) -> Record:  # noqa: ANN401 - a dataclass
        record = Record()
        for label, attribute, convert in fields:
            setattr(record, label, convert(getattr(value, attribute), call))
        return record

    return lower


def _splitter(
    shape: shapes.Variant | shapes.Option | shapes.Result,
) -> Callable[[Any], tuple[str, Any]]:
    """Returns what tells the case and the payload of this package's values."""
    match shape:
        case shapes.Variant(cases):
            labels = {case.type: label for label, case in cases.items()}
            return lambda value: (labels[type(value)], getattr(value, "value", None))
        case shapes.Option(_, some):
            return lambda value: (
                ("none", None)
                if value is None
                else ("some", value if some is None else value.value)
            )
        case shapes.Result():
            return lambda value: ("ok" if type(value) is shape.ok_type else "err", value.value)


def closer(shape: Shape) -> Callable[[str, Any, Call], Any]:
    """Returns what makes wasmtime-py's value of a variant, option or result of its case."""
    cases = stock_cases.cases(shape) or {}
    lowerers = {label: _lowerer(payload) for label, payload in cases.items() if payload is not None}
    tagged = stock_cases.tagged(cases)

    def close(label: str, payload: Any, call: Call) -> Any:  # noqa: ANN401 - wasmtime-py's
        convert = lowerers.get(label)
        value = None if convert is None else convert(payload, call)
        return Variant(label, value) if tagged else value

    return close


def outcome_lowerer(shape: shapes.Result, label: str) -> Converter:
    """Returns what makes wasmtime-py's value of a result, given the payload of one case."""
    check, close = fast.outcome_lowerer(shape, is_ok=label == "ok"), closer(shape)

    def lower(payload: Any, call: Call) -> Any:  # noqa: ANN401 - wasmtime-py's
        check(payload, Scope(0, NO_HANDLES))
        return close(label, payload, call)

    return lower


def _resource_lifter(shape: shapes.Own | shapes.Borrow) -> Converter:
    resource, is_owned = shape.resource, isinstance(shape, shapes.Own)

    def lift(value: ResourceAny, call: Call) -> object:
        if resource.guest:
            raise MisfitError(f"{resource.name} is a guest's, which no host function takes")
        host = value.to_host(call.store)
        if host.type != call.handles.type(resource):
            raise MisfitError(f"the guest passes another resource, not a {resource.name}")
        return call.handles.take(host.rep) if is_owned else call.handles.get(host.rep)

    return lift


def _resource_lowerer(shape: shapes.Own | shapes.Borrow) -> Converter:
    def lower(value: object, call: Call) -> ResourceHost:
        handles = call.handles
        return ResourceHost.own(handles.put(value), handles.type(shape.resource))

    return lower
