"""What goes wrong with a guest, in words.

None of these is an `AttestationError`: they tell of the run, not of attestation.
"""

from __future__ import annotations

import re

_FRAME = re.compile(r"^ *\d+: +(?:0x[0-9a-f]+ - )?(?P<function>.+)$")
_MAX_TEXT = 500


class GuestTrap(Exception):  # noqa: N818 - WebAssembly's own term
    """The guest trapped.

    Args:
        name: the guest's name.
        reason: why, in WebAssembly's terms.
        function: where, as `module!function`; None if it is not known.
    """

    def __init__(self, name: str, reason: str, function: str | None) -> None:
        self.reason = reason
        self.function = function
        where = "" if function is None else f" in {function}"
        super().__init__(f"{printable(name)} trapped{where}: {reason}")

    @classmethod
    def of(cls, name: str, error: Exception) -> GuestTrap:
        """Returns the trap that an error of wasmtime's tells of."""
        frames, _, causes = str(error).partition("Caused by:")
        functions = [match for line in frames.splitlines() if (match := _FRAME.match(line))]
        function = printable(functions[0]["function"]) if functions else None
        return cls(name, printable(causes or frames), function)


class StartError(Exception):
    """The host could not start the guest: no code of the guest ran, or it could not get going."""


def printable(text: str) -> str:
    """Returns text that a guest chose, on one line, of bounded length, without control characters.

    Args:
        text: names and messages out of a WebAssembly file, which may hold anything.
    """
    line = " ".join(text[: 4 * _MAX_TEXT].split())
    safe = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in line)
    return safe if len(safe) <= _MAX_TEXT else safe[:_MAX_TEXT] + "…"
