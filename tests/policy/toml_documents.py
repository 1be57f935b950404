"""TOML documents in many styles, each with a mark before one of its names or values."""

from __future__ import annotations

import json
from dataclasses import dataclass

from hypothesis import strategies as st

MARK = "«"
Key = tuple[str | int, ...]
SCALARS = ("1", "-2.5", "true", '"]"', "'['", '"""\n"#"""', "'''}'''", "1979-05-27", '"\\"="')
NAMES = ("a", "b-c", "0", "d.e", "f g", "")


@dataclass(frozen=True)
class Marked:
    """A document with one mark, and the key of what stands behind it."""

    text: str
    key: Key


class _Writer:
    """Writes a document, and collects where each key stands in it."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.text = ""
        self.places: list[tuple[Key, int]] = []

    def note(self, key: Key) -> None:
        self.places.append((key, len(self.text)))

    def space(self, *, lines: bool = False) -> None:
        choices = ["", " ", "\t"] + (["\n", " # [{'\"\n"] if lines else [])
        self.text += self.draw(st.sampled_from(choices))

    def name(self, name: str) -> None:
        is_bare = name.replace("-", "").isalnum()
        styles = [json.dumps(name), f"'{name}'"] + ([name] if is_bare else [])
        self.text += self.draw(st.sampled_from(styles))

    def dotted(self, parent: Key, names: list[str]) -> Key:
        for number, name in enumerate(names):
            if number:
                self.space()
                self.text += "."
            self.space()
            self.note((*parent, name))
            self.name(name)
            parent = (*parent, name)
        self.space()
        return parent

    def value(self, key: Key, depth: int) -> None:
        kind = self.draw(st.sampled_from(["scalar", "list", "table"] if depth else ["scalar"]))
        if kind == "scalar":
            self.text += self.draw(st.sampled_from(SCALARS))
        elif kind == "list":
            self.array(key, depth)
        else:
            self.text += "{"
            self.pairs(key, depth, self.draw(_distinct_names()))
            self.text += "}"

    def array(self, key: Key, depth: int) -> None:
        self.text += "["
        self.space(lines=True)
        for index in range(self.draw(st.integers(0, 3))):
            self.note((*key, index))
            self.value((*key, index), depth - 1)
            self.space(lines=True)
            self.text += ","
            self.space(lines=True)
        self.text += "]"

    def pairs(self, key: Key, depth: int, names: list[str]) -> None:
        for number, name in enumerate(names):
            self.text += "," if number else ""
            self.pair(key, depth - 1, name)

    def pair(self, key: Key, depth: int, name: str) -> None:
        below = self.draw(st.lists(st.sampled_from(NAMES), max_size=1))
        whole = self.dotted(key, [name, *below])
        self.text += "="
        self.space()
        self.value(whole, depth)
        self.space()

    def lines(self, key: Key, names: list[str]) -> None:
        for name in names:
            self.pair(key, 2, name)
            self.text += self.draw(st.sampled_from(["\n", "\r\n", " # = [\n"]))

    def header(self, names: list[str], count: int | None) -> Key:
        self.text += "[" if count is None else "[["
        key = self.dotted((), names)
        if count is not None:
            # The place of the table in its list is that of the list's name.
            key = (*key, count)
            self.places.append((key, self.places[-1][1]))
        self.text += "]" if count is None else "]]"
        self.text += "\n"
        return key


def _distinct_names() -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(NAMES), max_size=3, unique=True)


@st.composite
def documents(draw: st.DrawFn) -> Marked:
    """Returns a valid document."""
    writer = _Writer(draw)
    writer.note(())
    writer.lines((), draw(_distinct_names()))
    for number in range(draw(st.integers(0, 2))):
        # Names of their own, so that no table is defined twice.
        key = writer.header(
            [f"t{number}", *draw(st.lists(st.sampled_from(NAMES), max_size=1))], None
        )
        writer.lines(key, draw(_distinct_names()))
    for count in range(draw(st.integers(0, 2))):
        writer.lines(writer.header(["list"], count), draw(_distinct_names()))
    # A name that stands twice, as in two dotted keys, is found where it stands first.
    first = {key: offset for key, offset in reversed(writer.places) if key}
    key = draw(st.sampled_from([(), *first]))
    offset = first.get(key, 0)
    return Marked(writer.text[:offset] + MARK + writer.text[offset:], key)
