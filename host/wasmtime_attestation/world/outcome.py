"""How one run of a guest ended, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from wasmtime_attestation.errors import AttestationError
from wasmtime_attestation.world.issued_token import IssuedToken
from wasmtime_attestation.world.limits import LimitKind

TIMED_OUT = 124
REVOKED = 126
TRAPPED = 134
LIMITED = 137


class Ended(StrEnum):
    """What ended a guest."""

    EXIT = "exit"
    TRAP = "trap"
    LIMIT = "limit"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a guest ended.

    Attributes:
        exit_code: the guest's own where it ended by itself. Else 124 where its
            time was over, 137 for any other limit, 134 for a trap, and 126
            where it was stopped for its host's sake. A core module may choose
            124 too: `ended` tells.
        ended: what ended it.
        limit: which limit did; None where none did.
        reason: the same in words, in one line.
        stdout: what it wrote; empty where its output was not captured.
        stderr: likewise.
        duration: seconds from start to end, without compilation.
        calls: how often it called each function of the world, by its WIT name;
            those that it never called are not there.
        revoked: why its host stopped it; None where it did not.
        tokens: which tokens it got, each once, the first thousand; told by
            `wasmtime_attestation.Runtime` alone.
    """

    exit_code: int
    ended: Ended
    limit: LimitKind | None = None
    reason: str
    stdout: bytes = field(default=b"", repr=False)
    stderr: bytes = field(default=b"", repr=False)
    duration: float = 0.0
    calls: Mapping[str, int] = field(default_factory=dict)
    revoked: AttestationError | None = None
    tokens: tuple[IssuedToken, ...] = ()

    def check(self) -> Outcome:
        """Returns this, where the guest ended by itself and said that all is well.

        Raises:
            GuestError: otherwise.
        """
        if self.ended is not Ended.EXIT or self.exit_code:
            raise GuestError(self)
        return self


class GuestError(Exception):
    """A guest did not end by itself with exit code 0.

    Not an `AttestationError`: it tells of the run, not of attestation.

    Args:
        outcome: how it ended.
    """

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        super().__init__(outcome.reason)
