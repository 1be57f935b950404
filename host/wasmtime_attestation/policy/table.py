"""A TOML table of a policy, read strictly: every key is known, every value of its kind.

To read a setting is to declare it: what a reader takes is the policy's schema and what
`policy show` prints, so that neither can drift from what is read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import TypeVar

from wasmtime_attestation.policy.setting import Json as Json
from wasmtime_attestation.policy.setting import Key as Key
from wasmtime_attestation.policy.setting import Setting as Setting
from wasmtime_attestation.policy.setting import SettingError as SettingError

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")

MAX_VALUES = 10_000
"""Values in one list."""
MAX_TEXT = 256
"""Characters of a string, and of one that a message quotes."""
_HEX = re.compile(r"[0-9A-Fa-f]*")
_KINDS: Mapping[type, str] = {
    str: "a string",
    bool: "true or false",
    int: "a whole number",
    list: "a list",
    dict: "a table",
}
_LARGEST = 0xFFFF_FFFF
_ANY: Mapping[str, Json] = {}


class Table:
    """Takes settings out of a table; `end` refuses what nobody took.

    Args:
        values: what tomllib read.
        key: where the table stands.
        about: what it is for.
        is_absent: whether it is read only for what it may hold.
    """

    def __init__(
        self,
        values: Mapping[str, Json],
        key: Key = (),
        about: str = "",
        *,
        is_absent: bool = False,
    ) -> None:
        self._key = key
        self._values = dict(values)
        self.about = about
        self.is_absent = is_absent
        self.settings: list[Setting] = []
        self.tables: dict[str, Table] = {}

    def end(self) -> None:
        """Refuses settings that nothing read: a misspelt one must not be ignored."""
        for key in self._values:
            import difflib  # nothing is misspelt as a rule

            known = [setting.key for setting in self.settings] + list(self.tables)
            close = difflib.get_close_matches(key[:MAX_TEXT], known, 1)
            hint = f"; did you mean {close[0]}?" if close else ""
            raise self.refusal(key, f"unknown setting {self._name(key)}{hint}")

    def unread(self) -> tuple[str, ...]:
        """Returns the keys that nothing has taken yet."""
        return tuple(self._values)

    def refusal(self, key: str, problem: str) -> SettingError:
        """Returns the error for a setting whose value makes no sense, for a reader to raise."""
        return SettingError((*self._key, key), problem)

    def table(self, key: str, about: str = "") -> Table:
        """Takes a table; one that is absent is empty."""
        return self._table(key, about, is_absent=False)

    def each(
        self, keys: Iterable[str], read: Callable[[Table], T], about: str = ""
    ) -> dict[str, T]:
        """Takes the tables that are there, out of those that there may be."""
        found = {}
        for key in keys:
            is_absent = key not in self._values
            value = read(self._table(key, about, is_absent=is_absent))
            if not is_absent:
                found[key] = value
        return found

    def version(self, key: str, version: int, about: str = "") -> None:
        """Takes the version of the form, which must be there and be this one."""
        self._declare(key, {"const": version}, version, about)
        value = self._take(key, int, None)
        if value is None:
            raise SettingError(self._key, f"{self._name(key)} is missing; it must be {version}")
        if value != version:
            raise self.refusal(key, f"{self._name(key)} must be {version}")

    def string(
        self, key: str, default: str, about: str = "", form: Mapping[str, Json] = _ANY
    ) -> str:
        """Takes a string, of which a reader that knows more says it in JSON Schema."""
        form = {"type": "string", "maxLength": MAX_TEXT, **form}
        value: str = self._setting(key, str, form, default, about)
        self._check_length((key,), value)
        return value

    def optional_string(self, key: str, about: str = "") -> str | None:
        """Takes a string; None where it is absent."""
        form = {"type": "string", "maxLength": MAX_TEXT}
        value: str | None = self._setting(key, str, form, None, about)
        self._check_length((key,), value or "")
        return value

    def boolean(self, key: str, *, default: bool, about: str = "") -> bool:
        """Takes a boolean."""
        value: bool = self._setting(key, bool, {"type": "boolean"}, default, about)
        return value

    def integer(self, key: str, default: int, largest: int = _LARGEST, about: str = "") -> int:
        """Takes an integer from 0 to `largest`."""
        value: int = self._setting(key, int, _range(largest), default, about)
        self._check_range((key,), value, largest)
        return value

    def limit(self, key: str, largest: int = _LARGEST, about: str = "") -> int | None:
        """Takes an integer from 0 to `largest`; None, which limits nothing, where it is absent."""
        value: int | None = self._setting(key, int, _range(largest), None, about)
        if value is not None:
            self._check_range((key,), value, largest)
        return value

    def integers(
        self, key: str, default: Sequence[int], largest: int, about: str = ""
    ) -> list[int]:
        """Takes a list of integers from 0 to `largest`."""
        values = self._list(key, int, _range(largest), list(default), about) or []
        for index, value in enumerate(values):
            self._check_range((key, index), value, largest)
        return values

    def strings(self, key: str, default: Sequence[str] | None = None, about: str = "") -> list[str]:
        """Takes a list of strings; one that is absent and has no default is empty."""
        return self._strings(key, list(default or []), about) or []

    def names(self, key: str, about: str = "") -> frozenset[str] | None:
        """Takes a list of strings; None, which constrains nothing, where it is absent."""
        values = self._strings(key, None, about)
        return None if values is None else frozenset(values)

    def formed(self, key: str, pattern: str, about: str = "") -> str | None:
        """Takes a string that a regular expression matches; None where it is absent."""
        form = {"type": "string", "pattern": f"^({pattern})$"}
        value: str | None = self._setting(key, str, form, None, about)
        if value is not None:
            self._check_form((key,), value, pattern)
        return value

    def all_formed(self, key: str, pattern: str, about: str = "") -> frozenset[str] | None:
        """Takes a list of strings that a regular expression matches; None where it is absent."""
        form = {"type": "string", "pattern": f"^({pattern})$"}
        values: list[str] | None = self._list(key, str, form, None, about)
        for index, value in enumerate(values or []):
            self._check_form((key, index), value, pattern)
        return None if values is None else frozenset(values)

    def choice(
        self, key: str, kind: Iterable[str], about: str = "", default: str | None = None
    ) -> str | None:
        """Takes one string out of those that there are, or what holds where it is absent."""
        known = list(map(str, kind))
        value: str | None = self._setting(key, str, {"enum": known}, default, about)
        if value is not None:
            self._check_known((key,), value, known)
        return value

    def words(
        self, key: str, known: Sequence[str], default: Sequence[str], about: str
    ) -> list[str]:
        """Takes a list of strings out of those that there are, in the order they are written."""
        values = self._list(key, str, {"enum": list(known)}, list(default), about) or []
        for index, value in enumerate(values):
            self._check_known((key, index), value, list(known))
        return values

    def choices(
        self, key: str, kind: type[E], default: Iterable[E] = (), about: str = ""
    ) -> frozenset[E]:
        """Takes a list of labels of an enumeration."""
        known = [str(label) for label in kind]
        written = [str(label) for label in kind if label in set(default)]
        values = self._list(key, str, {"enum": known}, written, about) or []
        for index, value in enumerate(values):
            self._check_known((key, index), value, known)
        return frozenset(map(kind, values))

    def byte_strings(self, key: str, size: int, about: str = "") -> frozenset[bytes] | None:
        """Takes a list of byte strings in hex, each of a size; None where it is absent."""
        form = {"type": "string", "pattern": f"^[0-9A-Fa-f]{{{2 * size}}}$"}
        items = self._list(key, str, form, None, about)
        if items is None:
            return None
        for index, item in enumerate(items):
            # Two digits a byte and nothing else: `fromhex` would take spaces.
            if len(item) != 2 * size or not _HEX.fullmatch(item):
                problem = f"{self._name(key)} has a value that is not {size} bytes of hex"
                raise SettingError((*self._key, key, index), problem)
        return frozenset(bytes.fromhex(item) for item in items)

    def _table(self, key: str, about: str, *, is_absent: bool) -> Table:
        values = self._take(key, dict, {})
        table = Table(values, (*self._key, key), about, is_absent=is_absent)
        self.tables[key] = table
        return table

    def _strings(self, key: str, default: list[str] | None, about: str) -> list[str] | None:
        form = {"type": "string", "maxLength": MAX_TEXT}
        values: list[str] | None = self._list(key, str, form, default, about)
        for index, value in enumerate(values or []):
            self._check_length((key, index), value)
        return values

    def _check_length(self, key: Key, value: str) -> None:
        if len(value) > MAX_TEXT:
            problem = f"{self._name(str(key[0]))} has more than {MAX_TEXT} characters"
            raise SettingError((*self._key, *key), problem)

    def _check_form(self, key: Key, value: str, pattern: str) -> None:
        if not re.fullmatch(pattern, value):
            has = f"{self._name(str(key[0]))} has {value[:MAX_TEXT]!r}"
            raise SettingError((*self._key, *key), f"{has}, which is not of the form {pattern}")

    def _check_range(self, key: Key, value: int, largest: int) -> None:
        if not 0 <= value <= largest:
            problem = f"{self._name(str(key[0]))} must be from 0 to {largest}"
            raise SettingError((*self._key, *key), problem)

    def _check_known(self, key: Key, value: str, known: list[str]) -> None:
        if value not in known:
            has = f"{self._name(str(key[0]))} has {value[:MAX_TEXT]!r}"
            raise SettingError((*self._key, *key), f"{has}; known are {', '.join(known)}")

    def _list(
        self, key: str, kind: type, form: Mapping[str, Json], default: list[Json] | None, about: str
    ) -> list[Json] | None:
        whole = {"type": "array", "items": form, "maxItems": MAX_VALUES}
        values: list[Json] | None = self._setting(key, list, whole, default, about)
        if values is not None and len(values) > MAX_VALUES:
            raise self.refusal(key, f"{self._name(key)} has more than {MAX_VALUES} values")
        for index, value in enumerate(values or []):
            if type(value) is not kind:
                problem = f"{self._name(key)} must be a list; each value is {_KINDS[kind]}"
                raise SettingError((*self._key, key, index), problem)
        return values

    def _setting(
        self, key: str, kind: type, form: Mapping[str, Json], default: Json, about: str
    ) -> Json:
        value = self._take(key, kind, default)
        self._declare(key, form if default is None else {**form, "default": default}, value, about)
        return value

    def _declare(self, key: str, form: Mapping[str, Json], value: Json, about: str) -> None:
        self.settings.append(Setting(key, form, value, about))

    def _take(self, key: str, kind: type, default: Json) -> Json:
        value = self._values.pop(key, default)
        # `type`, not isinstance: true is no integer.
        if value is not default and type(value) is not kind:
            raise self.refusal(key, f"{self._name(key)} must be {_KINDS[kind]}")
        return value

    def _name(self, key: str) -> str:
        return ".".join(str(part)[:MAX_TEXT] for part in (*self._key, key))


def _range(largest: int) -> Mapping[str, Json]:
    return {"type": "integer", "minimum": 0, "maximum": largest}
