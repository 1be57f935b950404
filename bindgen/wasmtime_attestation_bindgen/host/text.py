"""Python source as `ruff format` leaves it: lines of 100 columns, and docstrings."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence

WIDTH = 100


def call(indent: int, head: str, items: Sequence[str], tail: str) -> str:
    """Returns something in brackets on one line, or with a line for each item.

    Args:
        indent: the columns before it.
        head: up to the opening bracket.
        items: what stands between the brackets.
        tail: from the closing bracket on.
    """
    line = f"{head}{', '.join(items)}{tail}"
    if (indent + len(line) <= WIDTH and "\n" not in line) or not items:
        return line
    inner = "".join(f"{' ' * (indent + 4)}{fit(item, indent + 4, 1)},\n" for item in items)
    return f"{head}\n{inner}{' ' * indent}{fit(tail, indent)}"


def fit(line: str, indent: int, after: int = 0) -> str:
    """Returns code that is on one line, broken at its brackets if it is too long.

    Args:
        line: the code; its strings have no escapes.
        indent: the columns before it.
        after: the columns that are needed behind it.
    """
    if indent + len(line) + after <= WIDTH or "\n" in line:
        return line
    start = next((at for at, char in enumerate(_code(line)) if char in "([{"), None)
    if start is None:
        return line
    items, end = _split(line, start)
    return call(indent, line[: start + 1], items, line[end:]) if items else line


def _split(line: str, start: int) -> tuple[list[str], int]:
    """Returns what is between a bracket and its end, at commas, and where the end is."""
    depth, begin, code = 0, start + 1, _code(line)
    items: list[str] = []
    for at in range(start, len(line)):
        depth += (code[at] in "([{") - (code[at] in ")]}")
        if depth == 0 or (depth == 1 and code[at] == ","):
            items.append(line[begin:at].strip())
            begin = at + 1
        if depth == 0:
            return [item for item in items if item], at
    raise ValueError(f"a bracket without its end: {line}")


def _code(line: str) -> str:
    """Returns a line of the same length whose strings are blank."""
    return re.sub(r'"[^"]*"', lambda found: " " * len(found[0]), line)


def union(head: str, members: Sequence[str]) -> str:
    """Returns `head = A | B` on one line or, in parentheses, on one for each member."""
    line = f"{head} = {' | '.join(members)}"
    if len(line) <= WIDTH:
        return line
    inner = "\n    | ".join(members)
    return f"{head} = (\n    {inner}\n)"


def docstring(docs: str | None, indent: int, otherwise: str = "") -> str:
    """Returns a docstring, without the indentation of its first line.

    Args:
        docs: documentation in the WIT.
        indent: the columns before it.
        otherwise: what it says where the WIT says nothing.
    """
    plain = (docs or otherwise).strip()
    text = plain.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    lines = [line.rstrip() for line in text.splitlines()]
    if (len(plain) - len(plain.rstrip('"'))) % 3:  # three together are escaped already
        lines[-1] = f'{lines[-1][:-1]}\\"'
    if len(lines) == 1:
        if indent + len(lines[0]) + 6 <= WIDTH:
            return f'"""{lines[0]}"""'
        lines = textwrap.wrap(lines[0], WIDTH - indent - 3)
    body = textwrap.indent("\n".join(lines), " " * indent).lstrip()
    return f'"""{body}\n{" " * indent}"""'
