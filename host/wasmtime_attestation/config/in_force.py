"""Every setting that is in force, with where it comes from (`config show`)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from wasmtime_attestation.config import Read
from wasmtime_attestation.policy.table import Json, Key, Table

_SECRET_FILE, _SECRET_VARIABLE = "-key-file", "-key-env"  # ends of names of settings


@dataclass(frozen=True, slots=True)
class InForce:
    """A setting.

    Attributes:
        key: its name, with dots between those of tables.
        value: as TOML has it; None where nothing is set.
        origin: `default`, or where it is written.
        about: what it does, in a sentence.
        secret: whether the secret that it leads to is there; None where it leads to none.
    """

    key: str
    value: Json
    origin: str
    about: str
    secret: str | None = None


def in_force(found: Read) -> list[InForce]:
    """Returns the settings; services that are not configured are left out."""
    return list(_settings(found, found.table, ()))


def _settings(found: Read, table: Table, key: Key) -> Iterator[InForce]:
    for setting in table.settings:
        own = (*key, setting.key)
        origin = found.layers.place(own)
        name = ".".join(map(str, own))
        yield InForce(
            name, setting.value, origin, setting.about, _secret(setting.key, setting.value)
        )
    for name, inner in table.tables.items():
        if not inner.is_absent:
            yield from _settings(found, inner, (*key, name))


def _secret(key: str, value: Json) -> str | None:
    """Says of an API key that it is there, and nothing else."""
    if not isinstance(value, str):
        return None
    if key.endswith(_SECRET_VARIABLE):
        return f"{'set' if os.environ.get(value) else 'not set'}, from environment {value}"
    if key.endswith(_SECRET_FILE):
        is_there = os.access(value, os.R_OK)
        return f"{'set' if is_there else 'not readable'}, from file {value}"
    return None
