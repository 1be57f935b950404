"""How a policy is written: settings and comments in TOML, for people to read and change.

Source: TOML 1.0.0, sections "Comment", "String", "Array".
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator

from wasmtime_attestation.policy.table import Json

WIDTH = 100


def comment(text: str) -> Iterator[str]:
    """Yields lines of a comment; what could end a comment's line is escaped."""
    safe = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
    yield from textwrap.wrap(
        safe, WIDTH, initial_indent="# ", subsequent_indent="# ", break_long_words=False
    )


def assignment(key: str, value: Json) -> Iterator[str]:
    """Yields the lines of a setting; a list that is too long for one has a line a value."""
    line = f"{key} = {_value(value)}"
    if len(line) <= WIDTH or not isinstance(value, list):
        yield line
        return
    yield f"{key} = ["
    yield from (f"  {_value(item)}," for item in value)
    yield "]"


def hex_list(values: Iterable[bytes]) -> list[str]:
    """Returns byte strings as a policy has them, in order."""
    return sorted(value.hex() for value in values)


def _value(value: Json) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str():
            # JSON's escapes are TOML's too; TOML wants one more.
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case _:
            return f"[{', '.join(map(_value, value))}]"
