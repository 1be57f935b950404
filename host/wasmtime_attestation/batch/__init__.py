"""Verifies many pieces of evidence and tokens, with any `concurrent.futures.Executor`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import partial
from typing import Any

from wasmtime_attestation import verifier
from wasmtime_attestation.appraisal.token import appraise_any, check_issuers_result
from wasmtime_attestation.batch.ordered import Failure, in_order
from wasmtime_attestation.batch.terms import Terms
from wasmtime_attestation.batch.verification import Details, Parcel, Verification
from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.claims import Claims
from wasmtime_attestation.claims.verdict import Verdict
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.errors import AttestationError, InternalError
from wasmtime_attestation.evidence.envelope import Evidence
from wasmtime_attestation.evidence.strict_json import Json
from wasmtime_attestation.memo import Memo
from wasmtime_attestation.policy import AppraisalPolicy
from wasmtime_attestation.result import AttestationResult
from wasmtime_attestation.verifier import tokens
from wasmtime_attestation.verifier.expectations import Expected
from wasmtime_attestation.verifier.issuers import Issuer
from wasmtime_attestation.verifier.tokens import Trust

__all__ = ["VERIFIED", "Details", "Item", "Verification", "verify_many"]
VERIFIED = "verified"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to verify.

    Attributes:
        subject: evidence, or the text of a token.
        report_data: what evidence must be bound to; None to report it as not checked.
        expected: what a token must say; its nonce is also that of evidence that carries one.
    """

    subject: Evidence | str
    report_data: bytes | None = None
    expected: Expected = field(default_factory=Expected)

    def __reduce__(self) -> tuple[Callable[..., Item], tuple[object, ...]]:
        # As plain tuples, which are pickled faster than records.
        subject = self.subject
        parts = subject if isinstance(subject, str) else [getattr(subject, n) for n in _EVIDENCE]
        expected = None if self.expected == Expected() else self.expected
        return _item, (parts, self.report_data, expected)


_EVIDENCE = tuple(part.name for part in fields(Evidence))


def _item(parts: str | list[Any], report_data: bytes | None, expected: Expected | None) -> Item:
    subject = parts if isinstance(parts, str) else Evidence(*parts)
    return Item(subject, report_data, expected or Expected())


@dataclass(frozen=True, slots=True)
class _Given:
    """What all items are verified against."""

    endorsements: Endorsements
    anchors: Anchors
    at: datetime
    policy: AppraisalPolicy | None
    issuers: tuple[Issuer, ...]


def verify_many(
    items: Iterable[Item],
    *,
    endorsements: Endorsements,
    anchors: Anchors,
    at: datetime,
    policy: AppraisalPolicy | None = None,
    issuers: Iterable[Issuer] = (),
    executor: Executor | None = None,
    memo: Memo | None = None,
) -> Iterator[Verification]:
    """Verifies and appraises many items; each comes out as if it had been alone.

    What was verified once (chains, revocation lists, collateral) is remembered.

    Args:
        items: what to verify; they are read as they are needed, and may be endless.
        endorsements: for all items; what comes with evidence counts too.
        anchors: the roots to trust.
        at: the instant to verify at, with a time zone.
        policy: what to appraise with; None leaves the claims to the caller.
        issuers: services whose tokens count, besides the well-known ones.
        executor: threads, processes or others; None verifies here, one after the other.
        memo: what this process remembers; other processes have memos of their own.

    Yields:
        how each item came out, in the order of the items.
    """
    terms = Terms(_Given(endorsements, anchors, at, policy, tuple(issuers)), memo)
    for found in in_order(partial(_verify, terms), items, executor, together=Parcel):
        if isinstance(found, Failure):
            yield Verification(InternalError.case, found.reason, Details())
        else:
            yield found


def _authenticate(
    terms: Terms[_Given], item: Item, ledger: Ledger
) -> tuple[Claims | Verdict, dict[str, Json]]:
    """Verifies evidence or a token: its claims or verdict, and the same as JSON."""
    given, expected = terms.value, item.expected
    if isinstance(item.subject, str):
        verdict = tokens.verify(
            item.subject,
            expected,
            Trust(given.anchors, given.issuers, given.endorsements),
            at=given.at,
            ledger=ledger,
            memo=terms.memo,
        )
        return verdict, verdict.to_json()
    claims = verifier.verify(
        item.subject,
        given.endorsements,
        report_data=item.report_data,
        nonce=expected.nonce,
        at=given.at,
        anchors=given.anchors,
        ledger=ledger,
        memo=terms.memo,
    )
    return claims, {"evidence": [claims.to_json()]}


def _appraise(
    verified: Claims | Verdict, policy: AppraisalPolicy | None, at: datetime
) -> AttestationResult | None:
    if policy is not None:
        return appraise_any(verified, policy, at=at)
    if isinstance(verified, Verdict):
        check_issuers_result(verified)
    return None


def _verify(terms: Terms[_Given], item: Item) -> Verification:
    ledger, claims, result = Ledger(), None, None
    error: AttestationError | None = None
    try:
        verified, claims = _authenticate(terms, item, ledger)
        result = _appraise(verified, terms.value.policy, terms.value.at)
    except AttestationError as failure:
        error = failure
    details = Details(ledger.checks, claims, result)
    if error is None:
        return Verification(VERIFIED, None, details)
    return Verification(error.case, error.message, details)
