"""Verifies a report as a test wants it, and says how each check came out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import pytest
from cryptography import x509
from wasmtime_attestation.checks import Check, Ledger, Outcome
from wasmtime_attestation.claims import Claims
from wasmtime_attestation.claims.snp import SnpClaims
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.errors import Finding, RejectedError, UnavailableError
from wasmtime_attestation.evidence.envelope import Evidence, EvidenceType

from tests.fakes.amd import AT, real_anchors
from tests.verifier.alike import verify as verify_evidence

AMD = Anchors.of_vendors()
"""The real AMD."""


@dataclass(frozen=True)
class Verified:
    """Claims, and the checks that led to them."""

    claims: Claims
    checks: tuple[Check, ...]

    @property
    def snp(self) -> SnpClaims:
        """The claims of the report."""
        assert isinstance(self.claims.details, SnpClaims)
        return self.claims.details

    def outcome(self, check: str) -> Outcome:
        """Returns how one check came out."""
        (found,) = (c.outcome for c in self.checks if c.id == check)
        return found


def verify(
    report: bytes,
    endorsements: Endorsements | Iterable[x509.Certificate],
    *,
    at: datetime = AT,
    anchors: Anchors | None = None,
    report_data: bytes | None = None,
    ledger: Ledger | None = None,
) -> Verified:
    """Verifies a report; the miniature AMDs are real unless other anchors are given."""
    if not isinstance(endorsements, Endorsements):
        endorsements = Endorsements(tuple(endorsements))
    ledger = ledger or Ledger()
    claims = verify_evidence(
        Evidence(EvidenceType.AMD_SEV_SNP, report),
        endorsements,
        nonce=None,
        report_data=report_data,
        at=at,
        anchors=anchors or real_anchors(),
        ledger=ledger,
    )
    return Verified(claims, ledger.checks)


def rejection(
    report: bytes,
    endorsements: Endorsements | Iterable[x509.Certificate],
    *,
    at: datetime = AT,
    anchors: Anchors | None = None,
    report_data: bytes | None = None,
) -> Finding:
    """Returns why a report is rejected; the ledger must have the same finding, and no later one."""
    ledger = Ledger()
    with pytest.raises(RejectedError) as caught:
        verify(report, endorsements, at=at, anchors=anchors, report_data=report_data, ledger=ledger)
    (finding,) = caught.value.findings
    failed = [check for check in ledger.checks if check.outcome is Outcome.FAILED]
    assert [(check.id, check.detail) for check in failed] == [(finding.check, finding.detail)]
    after = ledger.checks[ledger.checks.index(failed[0]) + 1 :]
    assert {check.outcome for check in after} <= {Outcome.NOT_CHECKED}
    return finding


def missing(
    report: bytes,
    endorsements: Endorsements | Iterable[x509.Certificate],
    *,
    at: datetime = AT,
    anchors: Anchors | None = None,
) -> str:
    """Returns what the verification of a report lacks."""
    with pytest.raises(UnavailableError) as caught:
        verify(report, endorsements, at=at, anchors=anchors)
    return caught.value.message
