"""Counts decisions: by function, verdict and guest, and how long they took."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from wasmtime_attestation.evidence.strict_json import Json
from wasmtime_attestation.journal.record import Record

MAX_GUESTS = 10_000
"""Guests that are counted each; the others are counted together."""
OTHERS = "(others)"


@dataclass(slots=True)
class Summary:
    """What was decided.

    Attributes:
        decisions: by function and verdict.
        guests: by the guest's name, or its digest where it has none.
        findings: by check.
        lost: decisions that are not in the journal.
        durations: by function, in microseconds.
    """

    decisions: Counter[tuple[str, str]] = field(default_factory=Counter)
    guests: Counter[str] = field(default_factory=Counter)
    findings: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    durations: dict[str, array[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, records: Iterable[Record]) -> Summary:
        """Returns the summary of records."""
        summary = cls()
        for record in records:
            summary.add(record)
        return summary

    def add(self, record: Record) -> None:
        """Counts a record."""
        if record.kind == "gap":
            self.lost += record.number("lost")
        if record.kind != "decision":
            return
        members = record.members
        function = record.text("function")
        self.decisions[function, record.text("verdict")] += 1
        guest = members["guest"] or members["guest_digest"]
        _count(self.guests, str(guest or "(the host)"))
        for finding in _findings(members["findings"]):
            _count(self.findings, finding)
        self.durations.setdefault(function, array("Q")).append(record.number("duration_us"))

    def percentiles(self, function: str) -> tuple[int, int]:
        """Returns the median and the 95th percentile of a function's durations."""
        ordered = sorted(self.durations[function])
        return _percentile(ordered, 50), _percentile(ordered, 95)

    def to_json(self) -> dict[str, Json]:
        """Returns its public JSON form."""
        functions: dict[str, Json] = {}
        for function in sorted(self.durations):
            median, high = self.percentiles(function)
            verdicts: dict[str, Json] = {
                verdict: count
                for (name, verdict), count in sorted(self.decisions.items())
                if name == function
            }
            functions[function] = {"verdicts": verdicts, "p50_us": median, "p95_us": high}
        return {
            "schema": 1,
            "decisions": self.decisions.total(),
            "lost": self.lost,
            "functions": functions,
            "guests": dict(self.guests.most_common()),
            "findings": dict(self.findings.most_common()),
        }


def _count(counter: Counter[str], name: str) -> None:
    counter[name if name in counter or len(counter) < MAX_GUESTS else OTHERS] += 1


def _findings(value: Json) -> Iterable[str]:
    for finding in value if isinstance(value, list) else ():
        if isinstance(finding, dict):
            yield str(finding["check"])


def _percentile(ordered: Sequence[int], percent: int) -> int:
    """The nearest rank: the smallest that so many percent do not exceed."""
    return ordered[-(-len(ordered) * percent // 100) - 1]
