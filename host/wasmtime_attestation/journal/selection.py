"""Which records somebody wants to see."""

from __future__ import annotations

from dataclasses import dataclass

from wasmtime_attestation.journal.record import Record


@dataclass(frozen=True, slots=True)
class Selection:
    """What a record must be like; None asks for nothing.

    Attributes:
        guest: the guest's name, or its digest in hex.
        function: what was asked for.
        verdict: how it was answered.
        since: the first instant, as records write it.
        until: the instant before which.
    """

    guest: str | None = None
    function: str | None = None
    verdict: str | None = None
    since: str | None = None
    until: str | None = None

    def takes(self, record: Record) -> bool:
        """Whether a record is wanted."""
        # Times are written alike, so that their order is that of their text.
        time = record.text("time")
        if (self.since is not None and time < self.since) or (
            self.until is not None and time >= self.until
        ):
            return False
        if self.guest is None and self.function is None and self.verdict is None:
            return True
        return record.kind == "decision" and self._takes_decision(record)

    def _takes_decision(self, record: Record) -> bool:
        members = record.members
        return (
            (self.guest is None or self.guest in (members["guest"], members["guest_digest"]))
            and self.function in (None, members["function"])
            and self.verdict in (None, members["verdict"])
        )
