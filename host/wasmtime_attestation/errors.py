"""What can go wrong, sorted by who can do something about it.

One base class and one subclass for each case of the WIT `error` variant
(`wit/types.wit`); the set is closed. A message says what is wrong, what it
means and what to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from wasmtime_attestation import wit


class Finding(wit.Finding):
    """One thing that a check found wrong; check ids are listed in `docs/checks.md`."""

    __slots__ = ()

    def __str__(self) -> str:
        return f"{self.check}: {self.detail}"


class AttestationError(Exception):
    """Base of every error that this package raises on purpose."""

    case: ClassVar[str]
    """The label of the WIT `error` case."""
    exit_code: ClassVar[int]
    """The exit code of the command line tool."""

    @property
    def message(self) -> str:
        """The message for people."""
        return str(self)


class InternalError(AttestationError):
    """The host is at fault."""

    case = "internal"
    exit_code = 1


class InvalidArgumentError(AttestationError):
    """The caller passed something that cannot be used."""

    case = "invalid-argument"
    exit_code = 2


class UnsupportedError(AttestationError):
    """The host or its hardware has no such thing."""

    case = "unsupported"
    exit_code = 3


class UnavailableError(AttestationError):
    """Something needed could not be reached: a device, the network, an endorsement."""

    case = "unavailable"
    exit_code = 6


class DeniedError(AttestationError):
    """The host does not let this guest make this call."""

    case = "denied"
    exit_code = 7


class _FindingsError(AttestationError):
    """An error that is made of findings; there is always at least one."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        if not findings:
            raise ValueError("an error made of findings needs at least one")
        self.findings: tuple[Finding, ...] = tuple(findings)
        super().__init__("; ".join(map(str, self.findings)))


class RejectedError(_FindingsError):
    """Evidence or a token failed verification: it is not authentic."""

    case = "rejected"
    exit_code = 4

    @classmethod
    def of(cls, check: str, detail: str) -> RejectedError:
        """Returns the error for a single finding."""
        return cls([Finding(check, detail)])


class PolicyError(_FindingsError):
    """Evidence is authentic, but the policy does not accept what it says."""

    case = "policy"
    exit_code = 5


CASES = (
    UnsupportedError,
    UnavailableError,
    RejectedError,
    PolicyError,
    DeniedError,
    InvalidArgumentError,
    InternalError,
)
"""The closed set, in the order of the WIT variant's cases."""
