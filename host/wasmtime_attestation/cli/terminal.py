"""What is printed for people: nothing of a guest's, a token's or a file's poses as our words."""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
from collections.abc import Iterator

import click

_SLOW = 2.0
"""Seconds."""


def printable(line: str) -> str:
    """Escapes what a terminal obeys, or what looks like another line."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)


class LineFormatter(logging.Formatter):
    """Writes each message of the log on one line; the trace of an error has its own."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """Returns the line."""
        return printable(super().formatMessage(record))


def say(message: str) -> None:
    """Prints a line on standard error; who cannot be told still gets the exit code."""
    with contextlib.suppress(OSError, ValueError):
        click.echo(printable(message), err=True)


def flush() -> None:
    """Flushes what Python has buffered for standard output and error, where they still exist."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            with contextlib.suppress(OSError, ValueError):
                stream.flush()


def tolerate_encodings() -> None:
    """Lets any text be printed: what the terminal's encoding lacks is escaped."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


@contextlib.contextmanager
def slow(message: str) -> Iterator[None]:
    """Says what is going on if the block takes longer than people wait in silence."""
    notice = threading.Timer(_SLOW, say, [message])
    notice.daemon = True
    notice.start()
    try:
        yield
    finally:
        notice.cancel()
