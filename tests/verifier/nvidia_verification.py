"""What the tests of NVIDIA's reports share: one verification and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pytest
from wasmtime_attestation.checks import Check, Ledger, Outcome
from wasmtime_attestation.claims import Claims
from wasmtime_attestation.claims.gpu import NvidiaClaims
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.errors import Finding, RejectedError, UnavailableError
from wasmtime_attestation.evidence import nvidia
from wasmtime_attestation.evidence.envelope import Evidence
from wasmtime_attestation.verifier import verify as verify_evidence

from tests.fakes import nvidia_rim
from tests.fakes.nvidia import AT, HOPPER, real_anchors


@dataclass(frozen=True)
class Verified:
    """What a verification came to."""

    claims: Claims
    checks: tuple[Check, ...]

    @property
    def gpu(self) -> NvidiaClaims:
        assert isinstance(self.claims.details, NvidiaClaims)
        return self.claims.details

    def outcome(self, id_: str) -> Outcome:
        (check,) = (check for check in self.checks if check.id == id_)
        return check.outcome

    def detail(self, id_: str) -> str:
        (check,) = (check for check in self.checks if check.id == id_)
        return check.detail


def verify(
    report: bytes,
    endorsements: Endorsements | None = None,
    *,
    nonce: bytes | None = None,
    at: datetime = AT,
    anchors: Anchors | None = None,
) -> Verified:
    """Verifies a report, with the Hopper GPU's endorsements where nothing else is said."""
    ledger = Ledger()
    if endorsements is None:
        endorsements = HOPPER.endorsements() + nvidia_rim.endorsements()
    claims = verify_evidence(
        Evidence(nvidia.type_of(report), report),
        endorsements,
        report_data=None,
        nonce=nonce,
        at=at,
        anchors=anchors or real_anchors(),
        ledger=ledger,
    )
    return Verified(claims, ledger.checks)


def rejection(
    report: bytes,
    endorsements: Endorsements | None = None,
    *,
    nonce: bytes | None = None,
    at: datetime = AT,
    anchors: Anchors | None = None,
) -> Finding:
    """Returns why a report is rejected."""
    with pytest.raises(RejectedError) as caught:
        verify(report, endorsements, nonce=nonce, at=at, anchors=anchors)
    (finding,) = caught.value.findings
    return finding


def missing(report: bytes, endorsements: Endorsements) -> str:
    """Returns what a verification lacks."""
    with pytest.raises(UnavailableError) as caught:
        verify(report, endorsements)
    return str(caught.value)
