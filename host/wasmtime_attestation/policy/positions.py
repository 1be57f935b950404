"""Where a setting stands in a TOML text: tomllib keeps no positions (decision 0011).

The text is one that tomllib has read, so this needs to know tokens, names and brackets
only. Source: TOML 1.0.0, sections "Keys", "String", "Array", "Table", "Inline Table".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

from wasmtime_attestation.policy.table import Key

_TOKEN = re.compile(
    r"""(?P<space>[ \t\r]++|\#[^\n]*+)
    |(?P<newline>\n)
    |(?P<mark>[\[\]{}=,.])
    |(?P<quoted>\"{3}(?:\\.|[^"\\]|"(?!""))*+\"{3,5}|'{3}(?:[^']|'(?!''))*+'{3,5}
        |"(?:\\.|[^"\\])*+"|'[^']*+')
    |(?P<bare>[^\s\[\]{}=,."'\#]++)""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a text: line and column, from 1, columns in characters."""

    line: int
    column: int


def at(text: str, offset: int) -> Position:
    """Returns the place of a character."""
    return Position(text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset))


def locate(text: str, key: Key) -> Position:
    """Returns where a setting is written, or else the nearest of what it would stand in.

    Args:
        text: a valid TOML text.
        key: the names of tables and settings, and positions in lists.
    """
    search = _Search(key)
    for match in _TOKEN.finditer(text):
        search.read(match.lastgroup or "", match[0], match.start())
        if search.is_found:
            break
    return at(text, search.offset)


class _State(Enum):
    """What the next token belongs to."""

    NAME = auto()
    VALUE = auto()
    REST = auto()


@dataclass(slots=True)
class _Open:
    """A bracket that is open in a value: of a list, which counts, or of an inline table."""

    key: Key
    index: int | None


class _Search:
    """Goes through the tokens once, without recursion, and keeps the best match."""

    def __init__(self, key: Key) -> None:
        self.offset = 0
        self._wanted = key
        self._depth = 0
        self._state = _State.NAME
        self._names: list[tuple[str, int]] = []
        self._brackets = 0
        self._table: Key = ()
        self._tables_in_list: dict[Key, int] = {}
        self._open: list[_Open] = []
        self._key: Key | None = None

    @property
    def is_found(self) -> bool:
        """Whether there is nothing nearer to find."""
        return self._depth == len(self._wanted)

    def read(self, kind: str, text: str, offset: int) -> None:
        """Takes the next token."""
        if kind == "newline":
            self._end_line()
        elif kind != "space":
            mark = text if kind == "mark" else ""
            match self._state:
                case _State.NAME:
                    self._name(mark, text, offset)
                case _State.VALUE:
                    self._value(mark, offset)
                case _State.REST:
                    self._rest(mark)

    def _end_line(self) -> None:
        if not self._open:
            self._state, self._brackets = _State.NAME, 0

    def _name(self, mark: str, text: str, offset: int) -> None:
        match mark:
            case "":
                self._names.append((_unquoted(text), offset))
            case "[":
                self._brackets += 1
            case "]":
                self._header()
            case "=":
                parent = self._open[-1].key if self._open else self._table
                self._key, self._state = self._meet(parent), _State.VALUE
            case "}":
                self._close()
            case _:  # the dots and commas between names
                pass

    def _value(self, mark: str, offset: int) -> None:
        key = self._key
        if key is None:
            if mark == "]":
                self._close()
                return
            key = self._item(offset)
        match mark:
            case "[":
                self._open.append(_Open(key, 0))
            case "{":
                self._open.append(_Open(key, None))
                self._state = _State.NAME
            case _:
                self._state = _State.REST
        self._key = None

    def _rest(self, mark: str) -> None:
        if not self._open:
            return
        if mark in ("]", "}"):
            self._close()
        elif mark == "," and self._open[-1].index is None:
            self._state = _State.NAME
        elif mark == ",":
            self._open[-1].index = (self._open[-1].index or 0) + 1
            self._state = _State.VALUE

    def _item(self, offset: int) -> Key:
        top = self._open[-1]
        index = top.index or 0
        self._compare(top.key, index, offset)
        return (*top.key, index)

    def _close(self) -> None:
        self._open.pop()
        self._state = _State.REST

    def _header(self) -> None:
        """`[a.b]` names a table, `[[a.b]]` the next one of a list."""
        *before, last = self._names
        self._names = before
        parent = self._meet(())
        name, offset = last
        self._compare(parent, name, offset)
        key = (*parent, name)
        if self._brackets == 2:
            index = self._tables_in_list.get(key, -1) + 1
            self._tables_in_list[key] = index
            self._compare(key, index, offset)
        self._table = self._inside(key)
        self._state = _State.REST

    def _meet(self, parent: Key) -> Key:
        """Compares the names of a dotted key, each within the one before, and forgets them."""
        for name, offset in self._names:
            self._compare(parent, name, offset)
            parent = self._inside((*parent, name))
        self._names = []
        return parent

    def _inside(self, key: Key) -> Key:
        index = self._tables_in_list.get(key)
        return key if index is None else (*key, index)

    def _compare(self, parent: Key, name: str | int, offset: int) -> None:
        depth = len(parent) + 1
        if self._depth < depth <= len(self._wanted) and (*parent, name) == self._wanted[:depth]:
            self._depth, self.offset = depth, offset


def _unquoted(text: str) -> str:
    if text[0] not in "\"'":
        return text
    import tomllib  # only messages about errors need places

    name: str = tomllib.loads(f"name = {text}")["name"]
    return name
