"""A JSON object whose members are taken by name and kind; what is not asked for may be there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from wasmtime_attestation.evidence.strict_json import Json, brief

# RFC 3339 as Intel and others write it: whole seconds, UTC.
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
_HEX = re.compile(r"[0-9A-Fa-f]*")


@dataclass(frozen=True, slots=True)
class JsonObject:
    """An object and where it stands, for messages. Every method raises ValueError for a misfit."""

    path: str
    members: dict[str, Json]

    @classmethod
    def of(cls, value: Json, path: str) -> JsonObject:
        """Takes a value that must be an object."""
        if not isinstance(value, dict):
            raise ValueError(f"{path} is no object")
        return cls(path, value)

    def string(self, name: str) -> str:
        """Returns a string."""
        value = self._member(name)
        if not isinstance(value, str):
            raise ValueError(f"{self.path}.{name} is no string")
        return value

    def optional_string(self, name: str) -> str | None:
        """Returns a string; None where it is absent or null."""
        return None if self.members.get(name) is None else self.string(name)

    def optional_boolean(self, name: str) -> bool | None:
        """Returns true or false; None where it is absent or null."""
        value = self.members.get(name)
        if value is not None and not isinstance(value, bool):
            raise ValueError(f"{self.path}.{name} is neither true nor false")
        return value

    def optional_object(self, name: str) -> JsonObject | None:
        """Returns an object; None where it is absent or null."""
        return None if self.members.get(name) is None else self.object(name)

    def strings(self, name: str, most: int) -> tuple[str, ...]:
        """Returns a list of strings; one that is absent is empty."""
        items = self._list(name, most, optional=True)
        texts = tuple(item for item in items if isinstance(item, str))
        if len(texts) != len(items):
            raise ValueError(f"{self.path}.{name} is no list of strings")
        return texts

    def integer(self, name: str, largest: int) -> int:
        """Returns an integer from 0 to `largest`."""
        value = self._member(name)
        if type(value) is not int or not 0 <= value <= largest:
            raise ValueError(f"{self.path}.{name} is no integer from 0 to {largest}")
        return value

    def integers(self, name: str, member: str, largest: int, most: int) -> tuple[int, ...]:
        """Returns one member of each object of a list, an integer from 0 to `largest`."""
        items = self._list(name, most, optional=False)
        values = tuple(item.get(member) if isinstance(item, dict) else None for item in items)
        if all(type(value) is int and 0 <= value <= largest for value in values):
            return cast("tuple[int, ...]", values)
        # One of them is no such thing: the other way says which.
        return tuple(item.integer(member, largest) for item in self.objects(name, most))

    def hex_bytes(self, name: str, size: int) -> bytes:
        """Returns bytes that are written in hex."""
        text = self.string(name)
        if len(text) != 2 * size or not _HEX.fullmatch(text):
            raise ValueError(f"{self.path}.{name} is not {size} bytes of hex")
        return bytes.fromhex(text)

    def instant(self, name: str) -> datetime:
        """Returns an instant."""
        text = self.string(name)
        if not _INSTANT.fullmatch(text):
            raise ValueError(f"{self.path}.{name} is {brief(text)}, no instant in UTC")
        return datetime.fromisoformat(text)

    def object(self, name: str) -> JsonObject:
        """Returns an object."""
        return JsonObject.of(self._member(name), f"{self.path}.{name}")

    def objects(self, name: str, most: int, *, optional: bool = False) -> list[JsonObject]:
        """Returns a list of objects; where it is optional, one that is absent is empty."""
        items = self._list(name, most, optional=optional)
        return [JsonObject.of(item, f"{self.path}.{name}[{i}]") for i, item in enumerate(items)]

    def _list(self, name: str, most: int, *, optional: bool) -> list[Json]:
        value = [] if optional and name not in self.members else self._member(name)
        if not isinstance(value, list) or len(value) > most:
            raise ValueError(f"{self.path}.{name} is no list of at most {most}")
        return value

    def _member(self, name: str) -> Json:
        if name not in self.members:
            raise ValueError(f"{self.path} has no {name}")
        return self.members[name]
