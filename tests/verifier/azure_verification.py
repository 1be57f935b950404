"""Verifies evidence of an Azure confidential VM as a test wants it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

import pytest
from wasmtime_attestation.checks import Check, Ledger, Outcome
from wasmtime_attestation.claims import Claims
from wasmtime_attestation.claims.azure import AzureClaims
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.errors import Finding, RejectedError
from wasmtime_attestation.evidence.envelope import Evidence
from wasmtime_attestation.verifier import verify as verify_evidence

from tests.fakes import amd
from tests.fakes.azure import NONCE, SNP, USER_DATA, ConfidentialVm

AT = amd.AT


class Verified(NamedTuple):
    """Claims, and the checks that led to them."""

    claims: Claims
    checks: tuple[Check, ...]

    @property
    def azure(self) -> AzureClaims:
        """The claims of the paravisor."""
        assert isinstance(self.claims.details, AzureClaims)
        return self.claims.details

    def outcome(self, check: str) -> Outcome:
        """Returns how one check came out."""
        (found,) = (c.outcome for c in self.checks if c.id == check)
        return found


def verify(
    evidence: Evidence | None = None,
    vm: ConfidentialVm = SNP,
    *,
    endorsements: Endorsements | None = None,
    report_data: bytes | None = USER_DATA,
    nonce: bytes | None = NONCE,
    boot_log: bytes | None = None,
    at: datetime = AT,
    anchors: Anchors | None = None,
    ledger: Ledger | None = None,
) -> Verified:
    """Verifies evidence; the hardware below is real unless other anchors are given."""
    evidence = evidence or vm.evidence()
    ledger = ledger or Ledger()
    claims = verify_evidence(
        evidence if boot_log is None else replace(evidence, boot_log=boot_log),
        vm.endorsements() if endorsements is None else endorsements,
        report_data=report_data,
        nonce=nonce,
        at=at,
        anchors=anchors or vm.anchors,
        ledger=ledger,
    )
    return Verified(claims, ledger.checks)


def rejection(
    evidence: Evidence | None = None,
    vm: ConfidentialVm = SNP,
    *,
    report_data: bytes | None = USER_DATA,
    nonce: bytes | None = NONCE,
    boot_log: bytes | None = None,
) -> Finding:
    """Returns why evidence is rejected; the ledger must have the same finding, and no later one."""
    ledger = Ledger()
    with pytest.raises(RejectedError) as caught:
        verify(
            evidence,
            vm,
            report_data=report_data,
            nonce=nonce,
            boot_log=boot_log,
            ledger=ledger,
        )
    (finding,) = caught.value.findings
    failed = [check for check in ledger.checks if check.outcome is Outcome.FAILED]
    assert [(check.id, check.detail) for check in failed] == [(finding.check, finding.detail)]
    after = ledger.checks[ledger.checks.index(failed[0]) + 1 :]
    assert {check.outcome for check in after} <= {Outcome.NOT_CHECKED}
    return finding
