"""The JSON form of claims."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Hashable
from datetime import datetime
from enum import Enum, StrEnum
from functools import cache
from types import NoneType
from typing import Any, cast

from wasmtime_attestation.evidence.strict_json import Json


def to_json(value: object) -> Json:
    """Returns a claim as JSON: bytes in hex, instants in RFC 3339, records as objects.

    Raises:
        TypeError: the value is none of these.
    """
    return _form(cast("Hashable", type(value)))(value)


@cache
def _form(kind: Hashable) -> Callable[[Any], Json]:
    """Returns what makes JSON of the values of a type."""
    forms: tuple[tuple[type | tuple[type, ...], Callable[[Any], Json]], ...] = (
        (bytes, bytes.hex),
        (StrEnum, lambda value: value.value),
        (Enum, lambda value: value.name),
        ((int, str, NoneType), lambda value: value),
        (datetime, lambda value: value.isoformat().replace("+00:00", "Z")),
        (tuple, lambda value: [to_json(item) for item in value]),
    )
    for base, form in forms:
        if issubclass(cast("type", kind), base):
            return form
    return _record


def _record(value: object) -> Json:
    return {name: to_json(field) for name, field in fields(value).items()}


def fields(record: object) -> dict[str, object]:
    """Returns the fields of a record by name.

    Raises:
        TypeError: it is no record.
    """
    if not dataclasses.is_dataclass(record):
        raise TypeError(f"{type(record).__name__} has no JSON form")
    return {name: getattr(record, name) for name in _names(record.__class__)}


@cache
def _names(kind: Hashable) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(cast("Any", kind)))
