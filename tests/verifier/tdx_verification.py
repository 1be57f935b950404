"""Verifies a quote as a test wants it, and says how each check came out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pytest
from wasmtime_attestation.checks import Check, Ledger, Outcome
from wasmtime_attestation.claims import Claims
from wasmtime_attestation.claims.tdx import TdxClaims
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.errors import Finding, RejectedError, UnavailableError
from wasmtime_attestation.evidence.envelope import Evidence, EvidenceType

from tests.fakes.intel import AT, PLATFORM, Collateral, real_anchors
from tests.verifier.alike import verify as verify_evidence

INTEL = Anchors.of_vendors()
"""The real Intel."""


@dataclass(frozen=True)
class Verified:
    """Claims, and the checks that led to them."""

    claims: Claims
    checks: tuple[Check, ...]

    @property
    def tdx(self) -> TdxClaims:
        """The claims of the quote."""
        assert isinstance(self.claims.details, TdxClaims)
        return self.claims.details

    def outcome(self, check: str) -> Outcome:
        """Returns how one check came out."""
        (found,) = (c.outcome for c in self.checks if c.id == check)
        return found


def verify(
    quote: bytes,
    endorsements: Endorsements | None = None,
    *,
    at: datetime = AT,
    anchors: Anchors | None = None,
    report_data: bytes | None = None,
    ledger: Ledger | None = None,
) -> Verified:
    """Verifies a quote; the miniature Intel is real unless other anchors are given."""
    ledger = ledger or Ledger()
    claims = verify_evidence(
        Evidence(EvidenceType.INTEL_TDX, quote),
        Collateral(PLATFORM).endorsements() if endorsements is None else endorsements,
        nonce=None,
        report_data=report_data,
        at=at,
        anchors=anchors or real_anchors(),
        ledger=ledger,
    )
    return Verified(claims, ledger.checks)


def rejection(
    quote: bytes,
    endorsements: Endorsements | None = None,
    *,
    at: datetime = AT,
    anchors: Anchors | None = None,
    report_data: bytes | None = None,
) -> Finding:
    """Returns why a quote is rejected; the ledger must have the same finding, and no later one."""
    ledger = Ledger()
    with pytest.raises(RejectedError) as caught:
        verify(quote, endorsements, at=at, anchors=anchors, report_data=report_data, ledger=ledger)
    (finding,) = caught.value.findings
    failed = [check for check in ledger.checks if check.outcome is Outcome.FAILED]
    assert [(check.id, check.detail) for check in failed] == [(finding.check, finding.detail)]
    after = ledger.checks[ledger.checks.index(failed[0]) + 1 :]
    assert {check.outcome for check in after} <= {Outcome.NOT_CHECKED}
    return finding


def missing(
    quote: bytes, endorsements: Endorsements, *, at: datetime = AT, anchors: Anchors | None = None
) -> str:
    """Returns what the verification of a quote lacks."""
    with pytest.raises(UnavailableError) as caught:
        verify(quote, endorsements, at=at, anchors=anchors)
    return caught.value.message
