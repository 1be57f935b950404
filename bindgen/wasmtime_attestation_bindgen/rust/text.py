"""Rust source text as rustfmt leaves it, with lines of at most 100 columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

WIDTH = 100
INDENT = "    "


def indented(lines: Iterable[str]) -> list[str]:
    """Returns lines one level deeper; empty ones stay empty."""
    return [f"{INDENT}{line}" if line else "" for line in lines]


def documentation(docs: str | None, mark: str = "///") -> list[str]:
    """Returns a documentation comment."""
    if docs is None:
        return []
    return [f"{mark} {line.rstrip()}".rstrip() for line in docs.splitlines()]


def signature(head: str, params: Sequence[str], tail: str, level: int = 0) -> list[str]:
    """Returns the first lines of a function.

    Args:
        head: everything before the parameters.
        params: one text each.
        tail: everything after them.
        level: how deep the function is indented.
    """
    line = f"{head}({', '.join(params)}){tail}"
    width = len(INDENT) * level + len(line)
    if params and width == WIDTH and tail.startswith(" ->") and tail.endswith(";"):
        # rustfmt counts one column more here, and then prefers this to a line for each parameter.
        return [line.removesuffix(tail), f"{INDENT}{tail.lstrip()}"]
    if not params or width <= WIDTH:
        return [line]
    return [f"{head}(", *indented(f"{param}," for param in params), f"){tail}"]


def macro(head: str, items: Sequence[str]) -> list[str]:
    """Returns a macro call in braces, which rustfmt leaves as it is.

    Args:
        head: the macro and what it defines, such as `abi::record! { Point {`, with
            one space where the closing braces follow.
        items: what stands between the inner braces.
    """
    line = f"{head} {', '.join(items)} }} }}"
    if len(line) <= WIDTH:
        return [line]
    outer, _, inner = head.partition(" { ")
    return [
        f"{outer} {{",
        f"{INDENT}{inner}",
        *indented(indented(f"{i}," for i in items)),
        f"{INDENT}}}",
        "}",
    ]


def paragraphs(blocks: Iterable[Sequence[str]]) -> list[str]:
    """Returns blocks of lines with an empty line between them; empty blocks vanish."""
    lines: list[str] = []
    for block in blocks:
        if block:
            lines += ["", *block] if lines else block
    return lines
