"""The `component-type` section as text for an assembler."""

from __future__ import annotations

from collections.abc import Iterator

_CHUNK = 80
# Everything that means something to C++, clang or the assembler is written in octal.
_PLAIN = frozenset(
    b" !&'*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz~"
)


def ascii_lines(payload: bytes) -> list[str]:
    """Returns bytes as the strings of `.ascii` directives, short enough to read."""
    lines, line = [], ""
    for text in _characters(payload):
        if len(line) + len(text) > _CHUNK:
            lines.append(line)
            line = ""
        line += text
    return [*lines, line]


def _characters(payload: bytes) -> Iterator[str]:
    for byte in payload:
        yield chr(byte) if byte in _PLAIN else f"\\{byte:03o}"
