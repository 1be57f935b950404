"""The text of a policy: TOML with bounds, and errors that say where it is wrong."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass

from wasmtime_attestation.errors import InvalidArgumentError
from wasmtime_attestation.policy.positions import Position, at, locate
from wasmtime_attestation.policy.table import Json, SettingError

MAX_SIZE = 1 << 20
"""Bytes in a policy file."""
MAX_DOTS = 32
"""Dots in a line, and so in a key: tomllib's time and memory grow with their square."""
_WHERE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


@dataclass(frozen=True, slots=True)
class Source:
    """The text of a policy, and what tomllib read.

    Attributes:
        file: where it came from, for messages.
        text: as it is written.
        values: what it says.
        kind: what the text is, for messages.
    """

    file: str
    text: str
    values: Mapping[str, Json]
    kind: str = "policy"

    @classmethod
    def of(cls, file: str, data: bytes, kind: str = "policy") -> Source:
        """Reads a text.

        Args:
            file: where it came from, for messages.
            data: the text.
            kind: what it is, for messages.

        Raises:
            InvalidArgumentError: it is too large, or no TOML in UTF-8; the message says where.
        """
        named = f"{kind} {file}"
        if len(data) > MAX_SIZE:
            raise InvalidArgumentError(f"{named}: it is larger than {MAX_SIZE} bytes")
        text = _decoded(named, data)
        _check_dots(named, text)
        import tomllib  # many processes read no file

        try:
            return cls(file, text, tomllib.loads(text), kind)
        except RecursionError as error:
            raise _error(named, None, "it is nested too deep") from error
        except ValueError as error:
            raise _error(named, *_syntax(text, str(error))) from error

    def error(self, error: SettingError) -> InvalidArgumentError:
        """Returns the error for a setting, with the place where it is written."""
        return _error(f"{self.kind} {self.file}", locate(self.text, error.key), str(error))


def _error(named: str, position: Position | None, problem: str) -> InvalidArgumentError:
    place = f":{position.line}:{position.column}" if position else ""
    return InvalidArgumentError(f"{named}{place}: {problem}")


def _decoded(named: str, data: bytes) -> str:
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        problem = f"it is not UTF-8: byte 0x{data[error.start]:02x} makes no character"
        raise _error(named, at(before, len(before)), problem) from error


def _check_dots(named: str, text: str) -> None:
    for number, line in enumerate(text.split("\n"), 1):
        if line.count(".") > MAX_DOTS and not line.lstrip().startswith("#"):
            raise _error(named, Position(number, 1), f"the line has more than {MAX_DOTS} dots")


def _syntax(text: str, message: str) -> tuple[Position | None, str]:
    """Takes tomllib's place out of its message; a number that is too long has none."""
    match = _WHERE.search(message)
    if match is None:
        return None, message
    problem = message[: match.start()]
    if match[1] is None:
        return at(text, len(text)), problem
    return Position(int(match[1]), int(match[2])), problem
