"""The JSON form of claims."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from enum import Enum, StrEnum

from wasmtime_attestation.evidence.strict_json import Json


def to_json(value: object) -> Json:
    """Returns a claim as JSON: bytes in hex, instants in RFC 3339, records as objects.

    Raises:
        TypeError: the value is none of these.
    """
    match value:
        case None | bool() | StrEnum():
            return value
        case Enum():
            return value.name
        case int() | str():
            return value
        case bytes():
            return value.hex()
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
    return {f.name: getattr(record, f.name) for f in dataclasses.fields(record)}
