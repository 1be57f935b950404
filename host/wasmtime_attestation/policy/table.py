"""A TOML table of a policy, read strictly: every key is known, every value of its kind."""

from __future__ import annotations

import re
from typing import Any

MAX_VALUES = 10_000
"""Reference values in one list."""
_HEX = re.compile(r"[0-9A-Fa-f]*")


class Table:
    """Takes settings out of a table; `end` refuses what nobody took.

    Args:
        path: where the table stands, for messages.
        values: what tomllib read.
    """

    def __init__(self, path: str, values: dict[str, Any]) -> None:
        self._path = path
        self._values = dict(values)

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def end(self) -> None:
        """Refuses settings that nothing read: a misspelt one must not be ignored."""
        if self._values:
            raise ValueError(f"unknown setting {self._name(next(iter(self._values)))}")

    def table(self, key: str) -> Table:
        """Takes a table; one that is absent is empty."""
        return Table(self._name(key), self._take(key, dict, {}))

    def string(self, key: str, default: str) -> str:
        """Takes a string."""
        value: str = self._take(key, str, default)
        return value

    def boolean(self, key: str, *, default: bool) -> bool:
        """Takes a boolean."""
        value: bool = self._take(key, bool, default)
        return value

    def integer(self, key: str, default: int, largest: int = 0xFFFF_FFFF) -> int:
        """Takes an integer from 0 to `largest`."""
        return self._in_range(key, self._take(key, int, default), largest)

    def integers(self, key: str, default: list[int], largest: int) -> list[int]:
        """Takes a list of integers from 0 to `largest`."""
        return [self._in_range(key, item, largest) for item in self._list(key, int, default) or []]

    def strings(self, key: str, default: list[str] | None = None) -> list[str]:
        """Takes a list of strings; one that is absent and has no default is empty."""
        return self._list(key, str, default) or []

    def byte_strings(self, key: str, size: int) -> frozenset[bytes] | None:
        """Takes a list of byte strings in hex, each of a size; None where it is absent."""
        items = self._list(key, str, None)
        if items is None:
            return None
        # Two digits a byte and nothing else: `fromhex` would take spaces.
        if any(len(item) != 2 * size or not _HEX.fullmatch(item) for item in items):
            raise ValueError(f"{self._name(key)} has a value that is not {size} bytes of hex")
        return frozenset(bytes.fromhex(item) for item in items)

    def _in_range(self, key: str, value: int, largest: int) -> int:
        if not 0 <= value <= largest:
            raise ValueError(f"{self._name(key)} must be from 0 to {largest}")
        return value

    def _list(self, key: str, kind: type, default: list[Any] | None) -> list[Any] | None:
        values: list[Any] | None = self._take(key, list, default)
        if values is not None and len(values) > MAX_VALUES:
            raise ValueError(f"{self._name(key)} has more than {MAX_VALUES} values")
        if any(type(value) is not kind for value in values or []):
            raise ValueError(f"{self._name(key)} must be a list of {kind.__name__}")
        return values

    def _take(self, key: str, kind: type, default: Any) -> Any:  # noqa: ANN401
        value = self._values.pop(key, default)
        # `type`, not isinstance: true is no integer.
        if value is not default and type(value) is not kind:
            raise ValueError(f"{self._name(key)} must be of type {kind.__name__}")
        return value

    def _name(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key
