"""Lines as clang-format breaks them: Google style, 100 columns, breaks after an open bracket."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

WIDTH = 100
_CONTINUATION = 4


def bracketed(head: str, items: Sequence[str], tail: str, indent: int = 0) -> str:
    """Returns `head items tail` on one line if it fits, else with the items on lines of their own.

    Args:
        head: what comes before the items, with the open bracket.
        items: what stands between brackets, separated by commas.
        tail: what comes after, with the close bracket.
        indent: how far the first line is indented.
    """
    line = f"{' ' * indent}{head}{', '.join(items)}{tail}"
    if not items or len(line) <= WIDTH:
        return line
    target, equals, callee = head.partition(" = ")
    margin = " " * (indent + _CONTINUATION)
    if equals and len(rest := f"{margin}{callee}{', '.join(items)}{tail}") <= WIDTH:
        return f"{' ' * indent}{target} =\n{rest}"
    return f"{' ' * indent}{head}\n{packed(items, tail, indent + _CONTINUATION)}"


def constant(name: str, value: str, indent: int) -> str:
    """Returns the definition of a constant within a class."""
    head = f"{' ' * indent}static constexpr auto {name} ="
    if len(f"{head} {value};") <= WIDTH:
        return f"{head} {value};"
    return f"{head}\n{' ' * (indent + _CONTINUATION)}{value};"


def packed(items: Sequence[str], tail: str, indent: int) -> str:
    """Returns items, as many on a line as fit."""
    lines, line = [], " " * indent
    for number, item in enumerate(items):
        last = number == len(items) - 1
        text = item + (tail if last else ",")
        joined = text if line.isspace() else f" {text}"
        if len(line) + len(joined) > WIDTH and not line.isspace():
            lines.append(line)
            line, joined = " " * indent, text
        line += joined
    return "\n".join([*lines, line])


def comment(docs: str | None, indent: int = 0) -> str:
    """Returns a documentation comment, or nothing; it ends with a line's end."""
    if not docs:
        return ""
    margin = " " * indent + "///"
    width = WIDTH - len(margin) - 1
    lines = [part for line in docs.strip().splitlines() for part in _wrapped(line, width)]
    return "".join(f"{margin} {line}".rstrip() + "\n" for line in lines)


def _wrapped(line: str, width: int) -> list[str]:
    line = line.expandtabs(2).rstrip()
    # A backslash at its end would make the next line part of the comment.
    line = f"{line} ." if line.endswith("\\") else line
    broken = wrap(line, width, break_long_words=False, break_on_hyphens=False)
    return broken or [""] if len(line) > width else [line]
