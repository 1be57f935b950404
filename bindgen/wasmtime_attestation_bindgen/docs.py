"""Comments to documentation."""

from __future__ import annotations

from collections.abc import Iterable

_ASCII_SPACE = " \t\n\r\f"


def documentation(comments: Iterable[str]) -> str | None:
    """Returns what comments say, without their marks and common indentation.

    Args:
        comments: in order, each with its marks: `// …`, `/// …`, `/* … */`
            or `/** … */`. All of them document the item that follows.

    Returns:
        The text without a line end at its end, or None where there are no comments.
    """
    texts = [_unmarked(comment).rstrip() for comment in comments]
    if not texts:
        return None
    margin = min((len(t) - len(t.lstrip(_ASCII_SPACE)) for t in texts if t), default=0)
    lines: list[str] = []
    for text in texts:
        lines += text.removeprefix(" " * margin).replace("\r\n", "\n").split("\n")
    return "\n".join(lines).rstrip("\n")


def _unmarked(comment: str) -> str:
    if comment.startswith("/**"):
        return comment[3:].removesuffix("*/") if len(comment) > len("/**/") else ""
    return comment.lstrip("/")
