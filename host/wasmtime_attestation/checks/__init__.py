"""What a verification checks, and how each check came out.

The identifiers are public and stable; `docs/checks.md` is made from the tables here.
A check passes, fails (which ends the verification) or was not done, and then
the reason is recorded: nothing is skipped in silence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple, NoReturn

from wasmtime_attestation.checks import (
    amd,
    azure,
    boot_log,
    evidence,
    intel,
    issuer,
    journal,
    nvidia,
    token,
)
from wasmtime_attestation.checks.rule import Rule
from wasmtime_attestation.errors import Finding, RejectedError, UnavailableError

CHECKS: Mapping[str, Rule] = MappingProxyType(
    {
        **evidence.RULES,
        **token.RULES,
        **issuer.RULES,
        **amd.RULES,
        **intel.RULES,
        **azure.RULES,
        **nvidia.RULES,
        **boot_log.RULES,
        **journal.RULES,
    }
)
"""Every check, by its public identifier."""
_IDS = frozenset(CHECKS)


class Outcome(StrEnum):
    """How a check came out."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_CHECKED = "not-checked"


class Check(NamedTuple):
    """One check and its outcome.

    Attributes:
        id: a key of `CHECKS`.
        outcome: how it came out.
        detail: what was found, or why it was not done.
        evidence: the index of the piece of evidence that it is about; None where
            there is only one.
    """

    id: str
    outcome: Outcome
    detail: str
    evidence: int | None = None


class Ledger:
    """Records the checks of one verification.

    A procedure announces its checks with `plan`, then settles each; what a
    failure leaves unsettled is reported as not checked.

    Args:
        evidence: the index of the piece of evidence, where there are several.
    """

    def __init__(self, evidence: int | None = None) -> None:
        self._evidence = evidence
        self._checks: dict[str, Check | None] = {}
        self._pieces: list[Ledger] = []

    def piece(self, index: int) -> Ledger:
        """Returns the ledger of one piece of evidence among several; its checks follow these."""
        self._pieces.append(Ledger(index))
        return self._pieces[-1]

    @property
    def checks(self) -> tuple[Check, ...]:
        """Every check that was planned, in order."""
        unreached = "not reached: an earlier check failed"
        checks = tuple(
            check or Check(id_, Outcome.NOT_CHECKED, unreached)
            for id_, check in self._checks.items()
        )
        if self._evidence is not None:
            checks = tuple(check._replace(evidence=self._evidence) for check in checks)
        return checks + tuple(check for piece in self._pieces for check in piece.checks)

    @property
    def settled(self) -> Mapping[str, Check]:
        """Every check that came out, by its id."""
        return {id_: check for id_, check in self._checks.items() if check is not None}

    def plan(self, checks: Sequence[str]) -> None:
        """Announces checks in the order in which they will be done."""
        if not _IDS.issuperset(checks):
            unknown = [id_ for id_ in checks if id_ not in CHECKS]
            raise ValueError(f"checks without an entry in CHECKS: {unknown}")
        # The order of those that there are, then of the new ones; and the outcomes that there are.
        self._checks = self._checks | dict.fromkeys(checks) | self._checks

    def adopt(self, checks: Mapping[str, Check]) -> None:
        """Records what another ledger has settled."""
        self._checks |= checks

    def passed(self, check: str, detail: str) -> None:
        """Records that a check passed."""
        self._settle(check, Outcome.PASSED, detail)

    def not_checked(self, check: str, reason: str) -> None:
        """Records that a check was not done, and why."""
        self._settle(check, Outcome.NOT_CHECKED, reason)

    def reject(self, check: str, detail: str) -> NoReturn:
        """Records that a check failed and raises `RejectedError`."""
        self._settle(check, Outcome.FAILED, detail)
        raise RejectedError.of(check, detail)

    def record(self, finding: Finding) -> None:
        """Records the failure that somebody else raised."""
        self._settle(finding.check, Outcome.FAILED, finding.detail)

    def unavailable(self, check: str, detail: str) -> NoReturn:
        """Records that a check could not be done for want of something, and raises."""
        self._settle(check, Outcome.NOT_CHECKED, detail)
        raise UnavailableError(f"{check}: {detail}")

    def unavailable_all(self, missing: Mapping[str, str]) -> NoReturn:
        """Records that several checks could not be done, and raises with what each lacks.

        Args:
            missing: by check, what is missing.
        """
        for check, what in missing.items():
            self._settle(check, Outcome.NOT_CHECKED, f"{what} is missing")
        lacking = "; ".join(f"{check}: {what}" for check, what in missing.items())
        raise UnavailableError(f"missing, give with --endorsements: {lacking}")

    def _settle(self, check: str, outcome: Outcome, detail: str) -> None:
        if check not in _IDS:
            self.plan((check,))
        self._checks[check] = Check(check, outcome, detail)
