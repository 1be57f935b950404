"""The world, in its binary form, as Rust source text."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

_ESCAPED = {ord('"'): '\\"', ord("\\"): "\\\\"}
_COLUMNS = 96


def byte_string(data: bytes) -> str:
    """Returns the lines of a byte string literal, without its quotes."""
    return "".join(f"{line}\\\n" for line in _lines(data))


def section_name(world: str, data: bytes) -> str:
    """Returns the name of a world's section.

    Linkers join sections of the same name, which spoils them, so worlds that
    differ at all have names that differ.
    """
    return f"component-type:{world}:{hashlib.sha256(data).hexdigest()[:16]}"


def _lines(data: bytes) -> Iterator[str]:
    line = ""
    for byte in data:
        # A space in front would be lost: a line that continues drops the white space there.
        plain = 0x20 < byte < 0x7F or (byte == 0x20 and line)
        text = _ESCAPED.get(byte) or (chr(byte) if plain else f"\\x{byte:02x}")
        if len(line) + len(text) > _COLUMNS:
            yield line
            line, text = "", text if text != " " else "\\x20"
        line += text
    if line:
        yield line
