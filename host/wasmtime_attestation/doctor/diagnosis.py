"""What a check of the doctor finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """How a check came out."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    NOT_APPLICABLE = "not-applicable"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found.

    Attributes:
        outcome: how the check came out; `failed` only for what this kind of machine needs.
        detail: what was seen.
        remedy: what to do about it; empty where there is nothing to do.
    """

    outcome: Outcome
    detail: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One check and what it found."""

    id: str
    finding: Finding


def ok(detail: str) -> Finding:
    """Nothing stands in the way here."""
    return Finding(Outcome.OK, detail)


def warning(detail: str, remedy: str) -> Finding:
    """It works, or is not needed, and yet."""
    return Finding(Outcome.WARNING, detail, remedy)


def failed(detail: str, remedy: str) -> Finding:
    """It is needed here, and does not work."""
    return Finding(Outcome.FAILED, detail, remedy)


def not_applicable(detail: str) -> Finding:
    """It is of no use to this kind of machine."""
    return Finding(Outcome.NOT_APPLICABLE, detail)
