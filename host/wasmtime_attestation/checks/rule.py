"""What a check is about: the rule that it holds evidence against."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of verification or appraisal, in the words of `docs/checks.md` and `--explain`.

    Each is one sentence or two, with a full stop (the source without), and never empty.

    Attributes:
        requirement: what must hold.
        meaning: what it means when it does not, or was not looked at.
        remedy: what to do then.
        source: the specification and section that demands it.
    """

    requirement: str
    meaning: str
    remedy: str
    source: str
