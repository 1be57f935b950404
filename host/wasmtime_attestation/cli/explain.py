"""What a check or finding means, in the words of `docs/checks.md`: `verify --explain`."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from wasmtime_attestation.appraisal.findings import FINDINGS
from wasmtime_attestation.checks import CHECKS, Outcome
from wasmtime_attestation.checks.rule import Rule
from wasmtime_attestation.evidence.strict_json import Json

_WIDTH = 100


def rule(id_: str) -> Rule | None:
    """Returns what a check or finding is about; findings of guests' own have no rule."""
    return CHECKS.get(id_) or FINDINGS.get(id_)


def check_lines(id_: str, outcome: Outcome, *, explain: bool) -> Iterator[str]:
    """Yields what to print below a check: for one that failed in any case, else if asked."""
    about = rule(id_)
    if about is None or not (explain or outcome is Outcome.FAILED):
        return
    if explain:
        yield from _entry("requires", about.requirement)
    if outcome is not Outcome.PASSED:
        # Of what was not checked nobody knows whether it is so.
        yield from _entry("means" if outcome is Outcome.FAILED else "otherwise", about.meaning)
        yield from _entry("do", about.remedy)
    if explain:
        yield from _entry("source", about.source)


def finding_lines(id_: str, *, refused: bool, explain: bool) -> Iterator[str]:
    """Yields what to print below a finding: for one that refuses in any case, else if asked."""
    if explain or refused:
        yield from check_lines(id_, Outcome.FAILED, explain=explain)


def members(id_: str, *, explain: bool) -> dict[str, Json]:
    """Returns what JSON says of a check or finding besides its outcome, if asked."""
    about = rule(id_)
    if about is None or not explain:
        return {}
    return {
        "requirement": about.requirement,
        "meaning": about.meaning,
        "remedy": about.remedy,
        "source": about.source,
    }


def _entry(label: str, text: str) -> Iterator[str]:
    first, rest = f"{'':15}{label:<9} ", " " * 25
    yield from textwrap.wrap(text, _WIDTH, initial_indent=first, subsequent_indent=rest)
