"""The JSON form of claims."""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable
from datetime import datetime
from enum import Enum, StrEnum
from functools import cache
from typing import Any, cast

from wasmtime_attestation.evidence.strict_json import Json

_AS_THEY_ARE = {bool, int, str, type(None)}


def to_json(value: object) -> Json:
    """Returns a claim as JSON: bytes in hex, instants in RFC 3339, records as objects.

    Raises:
        TypeError: the value is none of these.
    """
    if isinstance(value, bytes):
        return value.hex()
    if type(value) in _AS_THEY_ARE:
        return cast("Json", value)
    match value:
        case StrEnum():
            return value.value
        case Enum():
            return value.name
        case int() | str():
            return value
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case tuple():
            return [to_json(item) for item in value]
        case _:
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
