"""What can go wrong, sorted by who can do something about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from wasmtime_attestation_bindgen.source import Span


class BindgenError(Exception):
    """Base of every error that this package raises on purpose."""

    exit_code: ClassVar[int]
    """The exit code of the command line tool."""

    def render(self) -> str:
        """Returns the message for people, several lines where that helps."""
        return f"error: {self}"


class InputError(BindgenError):
    """What the caller named cannot be read or written."""

    exit_code = 2


class WitError(BindgenError):
    """The WIT is wrong.

    Attributes:
        message: what is wrong.
        span: where, or None where no single place is to blame.
        help: what to do about it, or None where the message says so.
        others: further places to look at, each with what is there.
    """

    exit_code = 4

    def __init__(
        self,
        message: str,
        span: Span | None = None,
        *,
        help: str | None = None,  # noqa: A002 - the word that compilers print
        others: Sequence[tuple[str, Span]] = (),
    ) -> None:
        self.message = message
        self.span = span
        self.help = help
        self.others = tuple(others)
        super().__init__(message if span is None else f"{span}: {message}")

    def render(self) -> str:
        """Returns the message with file, line, column and the offending line, as compilers do."""
        parts = [f"error: {self.message}"]
        if self.span is not None:
            parts += [f"  --> {self.span}", self.span.excerpt()]
        for label, span in self.others:
            parts += [f"  --> {span}: {label}"]
        if self.help is not None:
            parts += [f"  = help: {self.help}"]
        return "\n".join(parts)


class ModuleError(BindgenError):
    """No component can be made of a core module.

    Attributes:
        message: why.
        help: what to do about it, or None where the message says so.
    """

    exit_code = 4

    def __init__(
        self,
        message: str,
        *,
        help: str | None = None,  # noqa: A002 - the word that compilers print
    ) -> None:
        self.message = message
        self.help = help
        super().__init__(message)

    def render(self) -> str:
        """Returns the message, and what to do about it."""
        return f"error: {self.message}" + ("" if self.help is None else f"\n  = help: {self.help}")


class StaleError(BindgenError):
    """Generated files differ from what would be generated now."""

    exit_code = 5
