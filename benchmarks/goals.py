"""What was measured beside what, and whether it is as good as it is meant to be."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.timing import print_table


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound of a ratio.

    Attributes:
        bound: the ratio.
        is_least: whether that is the least, or the most.
        text: how it reads.
    """

    bound: float
    is_least: bool
    text: str

    def is_met(self, ratio: float) -> bool:
        """Whether a ratio is within the bound."""
        return ratio >= self.bound if self.is_least else ratio <= self.bound


def at_least(bound: float) -> Goal:
    """Returns the goal that a ratio is not less."""
    return Goal(bound, is_least=True, text=f"at least {bound:g} times")


def at_most(bound: float) -> Goal:
    """Returns the goal that a ratio is not more."""
    return Goal(bound, is_least=False, text=f"at most {bound:g} times")


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two figures of one run.

    Attributes:
        what: what was measured.
        ours: its figure.
        other: the figure beside it.
        unit: of both.
        against: what the other one is.
        ratio: how many times the one is the other, or better than it; the goal says which.
        goal: what the ratio is meant to be; None for a figure that only explains others.
    """

    what: str
    ours: float
    other: float
    unit: str
    against: str
    ratio: float
    goal: Goal | None = None

    @property
    def verdict(self) -> str:
        """Whether the goal is met."""
        if self.goal is None:
            return ""
        return "met" if self.goal.is_met(self.ratio) else "not met"


def print_comparisons(title: str, comparisons: list[Comparison]) -> None:
    """Prints a table of them."""
    print(f"## {title}\n")
    header = ("measured", "ours", "beside", "unit", "beside it", "ratio", "goal", "")
    print_table(
        header,
        [
            (c.what, c.ours, c.other, c.unit, c.against, c.ratio, _text(c.goal), c.verdict)
            for c in comparisons
        ],
    )
    print(flush=True)


def _text(goal: Goal | None) -> str:
    return "" if goal is None else goal.text
