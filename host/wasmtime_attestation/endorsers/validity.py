"""When endorsements hold: the instants that all of them have in common."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from wasmtime_attestation.endorsements import intel
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsements.collateral import SignedStatement, StatementKind

_EVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Window:
    """From when to when, both included."""

    begin: datetime
    end: datetime

    def __contains__(self, at: datetime) -> bool:
        return self.begin <= at <= self.end

    def __str__(self) -> str:
        return f"{self.begin.isoformat()} to {self.end.isoformat()}"


def window(endorsements: Endorsements) -> Window:
    """Returns when all of some endorsements hold; what does not say it holds for ever.

    Raises:
        ValueError: one cannot be read, or never ends though it should.
    """
    begins, ends = zip(_EVER, *_windows(endorsements), strict=True)
    return Window(max(begins), min(ends))


def _windows(endorsements: Endorsements) -> Iterator[tuple[datetime, datetime]]:
    for certificate in endorsements.certificates:
        yield certificate.not_valid_before_utc, certificate.not_valid_after_utc
    for crl in endorsements.crls:
        yield crl.last_update_utc, _ending(crl.next_update_utc, "a revocation list")
    for statement in endorsements.statements:
        issued = issued_of(statement)
        yield issued.issue_date, issued.next_update
    for response in endorsements.ocsp:
        for answer in response.answers:
            yield answer.this_update, _ending(answer.next_update, "an OCSP response")


def issued_of(statement: SignedStatement) -> intel.Issued:
    """Returns when a statement of Intel's holds.

    Raises:
        ValueError: it cannot be read.
    """
    if statement.kind is StatementKind.TCB_INFO:
        return intel.decode_tcb_info(statement.document).issued
    return intel.decode_qe_identity(statement.document).issued


def _ending(end: datetime | None, what: str) -> datetime:
    if end is None:
        raise ValueError(f"{what} does not say until when it holds")
    return end
