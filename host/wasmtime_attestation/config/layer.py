"""Where a configuration's values come from, and which of them counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from wasmtime_attestation.errors import InvalidArgumentError
from wasmtime_attestation.policy.positions import locate
from wasmtime_attestation.policy.source import Source
from wasmtime_attestation.policy.table import Json, Key, SettingError

DEFAULT = "default"


class Origin(Protocol):
    """Where values are written."""

    def place(self, key: Key) -> str:
        """Returns where a value is written, for people."""

    def error(self, error: SettingError) -> InvalidArgumentError:
        """Returns the error for a value, with its place."""


@dataclass(frozen=True, slots=True)
class InFile:
    """In a file.

    Attributes:
        source: the file's text.
    """

    source: Source

    def place(self, key: Key) -> str:
        """Returns file and line."""
        return f"{self.source.file}:{locate(self.source.text, key).line}"

    def error(self, error: SettingError) -> InvalidArgumentError:
        """Returns the error with file, line and column."""
        return self.source.error(error)


@dataclass(frozen=True, slots=True)
class Outside:
    """In an environment variable, or an option of a command.

    Attributes:
        name: of it, with what it is.
    """

    name: str

    def place(self, key: Key) -> str:
        """Returns its name."""
        del key
        return self.name

    def error(self, error: SettingError) -> InvalidArgumentError:
        """Returns the error with its name."""
        return InvalidArgumentError(f"{self.name}: {error}")


@dataclass(frozen=True, slots=True)
class Layer:
    """Values of one origin: tables in tables, as tomllib gives them."""

    values: Mapping[str, Json]
    origin: Origin


class Layers:
    """Layers, one over another: tables add to tables, any other value replaces the one before.

    Args:
        layers: what counts least first.
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        self._layers = tuple(layers)

    def merged(self) -> dict[str, Json]:
        """Returns the values that count."""
        values: dict[str, Json] = {}
        for layer in self._layers:
            values = _over(values, layer.values)
        return values

    def place(self, key: Key) -> str:
        """Returns where the value of a setting is written; `DEFAULT` where it is nowhere."""
        for layer in reversed(self._layers):
            if _has(layer.values, key):
                return layer.origin.place(key)
        return DEFAULT

    def error(self, error: SettingError) -> InvalidArgumentError:
        """Returns the error for a setting, with the place of it or of what it is missing in."""
        for depth in range(len(error.key), 0, -1):
            for layer in reversed(self._layers):
                if _has(layer.values, error.key[:depth]):
                    return layer.origin.error(error)
        return InvalidArgumentError(f"configuration: {error}")


def _over(base: Mapping[str, Json], own: Mapping[str, Json]) -> dict[str, Json]:
    both = {
        key: _over(base[key], own[key])
        for key in base.keys() & own.keys()
        if isinstance(base[key], dict) and isinstance(own[key], dict)
    }
    return {**base, **own, **both}


def _has(values: Json, key: Key) -> bool:
    for part in key:
        is_there = (
            0 <= part < len(values)
            if isinstance(values, list) and isinstance(part, int)
            else isinstance(values, dict) and part in values
        )
        if not is_there:
            return False
        values = values[part]
    return True
