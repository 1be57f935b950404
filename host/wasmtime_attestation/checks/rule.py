"""What a check is about: the rule that it holds evidence against."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of verification, in the words of `docs/checks.md` and of `verify --explain`.

    Attributes:
        requirement: what must hold.
        meaning: what it means when it does not.
        remedy: what to do then.
        source: the specification and section that demands it.
    """

    requirement: str
    meaning: str = ""
    remedy: str = ""
    source: str = ""
