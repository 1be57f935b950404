"""WIT text and places in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

LONGEST_SNIPPET = 160
"""Characters of a line that an error shows at most."""


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """One WIT file.

    Attributes:
        path: what errors call it; not read from.
        text: its contents.
    """

    path: str
    text: str

    def position(self, offset: int) -> tuple[int, int]:
        """Returns line and column of an offset, both counted from 1, columns in characters."""
        line = self.text.count("\n", 0, offset) + 1
        return line, offset - self.text.rfind("\n", 0, offset)

    def line(self, number: int) -> str:
        """Returns a line, counted from 1, without its end."""
        return self.text.split("\n", number)[number - 1].rstrip("\r")


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """One WIT package in binary form.

    Attributes:
        path: what errors call it; not read from.
        data: its contents.
    """

    path: str
    data: bytes


class Span(NamedTuple):
    """A range of characters in a source; `end` is exclusive."""

    source: Source
    start: int
    end: int

    @property
    def text(self) -> str:
        """The characters themselves."""
        return self.source.text[self.start : self.end]

    def to(self, last: Span) -> Span:
        """Returns the range from here to the end of `last`, which follows in the same source."""
        return Span(self.source, self.start, last.end)

    def __str__(self) -> str:
        line, column = self.source.position(self.start)
        return f"{self.source.path}:{line}:{column}"

    def excerpt(self) -> str:
        """Returns the first line of this range with its number, and marks under the range."""
        number, column = self.source.position(self.start)
        line = self.source.line(number)
        left = max(0, column - 1 - LONGEST_SNIPPET // 2)
        shown = "".join(map(_printable, line[left : left + LONGEST_SNIPPET]))
        marks = max(1, min(self.end - self.start, len(shown) - (column - 1 - left)))
        margin = " " * len(str(number))
        return (
            f"{margin} |\n{number} | {shown}\n{margin} | {' ' * (column - 1 - left)}{'^' * marks}"
        )


def _printable(character: str) -> str:
    # A terminal must show what the file holds, not obey it; tabs would shift the marks.
    if character == "\t":
        return " "
    return character if character.isprintable() else "\N{REPLACEMENT CHARACTER}"
