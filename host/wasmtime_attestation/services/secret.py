"""API keys: where they come from, and how they are kept out of everything that people read."""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import NoReturn

from wasmtime_attestation.errors import UnavailableError
from wasmtime_attestation.policy.table import SettingError, Table

MAX_SIZE = 4096
"""Bytes of a key."""
_NAME = r"[A-Za-z_][A-Za-z0-9_]{0,127}"
_HIDDEN = "<secret>"
_TELLING = 8
"""Characters of a key that are taken for the key."""


class Secret:
    """A key, which shows itself to nobody who does not ask for it by name.

    Args:
        text: the key.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return _HIDDEN

    def __reduce__(self) -> NoReturn:
        """Refuses to be written anywhere."""
        raise TypeError("a secret is not written down")

    def reveal(self) -> str:
        """Returns the key, for a header of a request."""
        return self._text

    def hidden_in(self, text: str) -> str:
        """Returns a text of others without the key: a service may repeat what it was sent.

        A key of which a message has only the beginning is hidden as well.
        """
        begin, size = self._text[:_TELLING], len(self._text)
        shown, at = [], 0
        while (found := text.find(begin, at)) >= 0:
            shown += [text[at:found], _HIDDEN]
            pairs = zip(text[found : found + size], self._text, strict=False)
            at = found + sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        return "".join((*shown, text[at:]))


@dataclass(frozen=True, slots=True)
class SecretPlace:
    """Where a key is; it is read anew for each request, so that it can be exchanged.

    Attributes:
        file: a file that has the key and nothing else, or None.
        variable: an environment variable, or None.
    """

    file: str | None = None
    variable: str | None = None

    def __post_init__(self) -> None:
        """Raises ValueError for none, or two places."""
        if (self.file is None) == (self.variable is None):
            raise ValueError("a key is in a file or in an environment variable")

    def __str__(self) -> str:
        return f"file {self.file}" if self.file is not None else f"variable {self.variable}"

    def read(self) -> Secret:
        """Reads the key.

        Raises:
            UnavailableError: it is not there, or cannot be a key.
        """
        text = self._of_file(self.file) if self.file is not None else self._of_environment()
        text = text.strip()
        if len(text) > MAX_SIZE:
            raise UnavailableError(f"the API key in {self} is larger than {MAX_SIZE} bytes")
        if not text or not text.isascii() or not text.isprintable() or " " in text:
            raise UnavailableError(
                f"the API key in {self} is no key: one line of visible ASCII characters"
            )
        return Secret(text)

    def _of_file(self, name: str) -> str:
        try:
            with Path(name).open("rb") as file:
                data = file.read(MAX_SIZE + 1)
        except OSError as error:
            raise UnavailableError(
                f"the API key in {self} cannot be read: {error.strerror or error}"
            ) from error
        # Bytes that are no ASCII become characters that are none, and are refused.
        return data.decode("latin-1")

    def _of_environment(self) -> str:
        text = os.environ.get(self.variable or "")
        if text is None:
            raise UnavailableError(f"the API key is missing: set the environment {self}")
        return text


def read(table: Table) -> SecretPlace | None:
    """Takes `api-key-file` and `api-key-env`; None where neither is there.

    Raises:
        SettingError: both are there.
    """
    file = table.optional_string("api-key-file", "A file with the API key and nothing else.")
    try:
        variable = table.formed(
            "api-key-env", _NAME, "The name of an environment variable with the API key."
        )
    except SettingError:
        # It may be the key itself, pasted where its place belongs: nobody shall read it in a log.
        problem = "api-key-env must be the name of an environment variable (letters, digits, _)"
        raise table.refusal("api-key-env", problem) from None
    if file is None and variable is None:
        return None
    if file is not None and variable is not None:
        raise table.refusal("api-key-env", "api-key-file is given too: give one of them")
    return SecretPlace(file, variable)
