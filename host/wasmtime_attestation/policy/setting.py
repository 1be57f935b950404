"""One setting of a policy or a configuration: as its reader declared it, and what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Json = Any
"""What TOML and JSON Schema have in common."""
Key = tuple[str | int, ...]
"""Where a value stands: names of tables and settings, and positions in lists."""


class SettingError(ValueError):
    """A setting is unknown, missing or not of its kind.

    Attributes:
        key: which one.
        problem: what is wrong with it, without its name.
    """

    def __init__(self, key: Key, problem: str) -> None:
        self.key = key
        super().__init__(problem)


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting as its reader declared it.

    Attributes:
        key: its name in the table.
        form: JSON Schema (2020-12) of its values.
        value: what is in force, as TOML has it; None where nothing is.
        about: what it does, in a sentence.
    """

    key: str
    form: Mapping[str, Json]
    value: Json
    about: str
