"""Verification: evidence, endorsements and an instant make claims. Pure functions, no clock."""

from __future__ import annotations

from datetime import datetime

from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.claims import Claims
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.errors import InvalidArgumentError
from wasmtime_attestation.evidence.envelope import Evidence, EvidenceType, RawEndorsement
from wasmtime_attestation.evidence.hcl import ReportType
from wasmtime_attestation.memo import Memo, recall
from wasmtime_attestation.memo.instant import has_zone
from wasmtime_attestation.verifier import azure, boot_log, nvidia, snp, tdx

_PARAVISORS = {
    EvidenceType.AZURE_SNP: ReportType.SNP,
    EvidenceType.AZURE_TDX: ReportType.TDX,
}
WITH_NONCE_ALONE = frozenset({EvidenceType.NVIDIA_GPU, EvidenceType.NVIDIA_SWITCH})
"""Evidence that has a nonce in place of report data."""

_PLATFORMS = {EvidenceType.AMD_SEV_SNP: snp.verify, EvidenceType.INTEL_TDX: tdx.verify}


def verify(
    evidence: Evidence,
    endorsements: Endorsements,
    *,
    report_data: bytes | None,
    nonce: bytes | None,
    at: datetime,
    anchors: Anchors,
    ledger: Ledger,
    memo: Memo | None = None,
) -> Claims:
    """Verifies evidence of any kind.

    Args:
        evidence: the evidence; what came with it counts as endorsements too.
        endorsements: further endorsements.
        report_data: the 64 bytes that the evidence must be bound to; None to
            report the binding as not checked.
        nonce: what a quote beside the evidence must carry (a TPM's), or a report that has a
            nonce in place of report data (a GPU's); None to report it as not checked.
        at: the instant to verify at, with a time zone.
        anchors: the roots to trust.
        ledger: records each check.
        memo: remembers what was verified before; it only saves time.

    Raises:
        InvalidArgumentError: `at` has no time zone, or the evidence has no room for a nonce.
        RejectedError: the evidence is not authentic.
        UnavailableError: an endorsement is missing.
    """
    if not has_zone(at):
        raise InvalidArgumentError(f"the instant {at.isoformat()} names no time zone; add one")
    ledger.plan(("evidence.endorsements",))
    came_along = evidence.endorsements
    known = recall(
        memo if came_along else None, _gather, came_along, endorsements, at=at, ledger=ledger
    )
    claims = _verify_platform(
        evidence,
        known,
        report_data=report_data,
        nonce=nonce,
        at=at,
        anchors=anchors,
        ledger=ledger,
        memo=memo,
    )
    if evidence.boot_log is None:
        return claims
    return boot_log.verify(evidence.boot_log, claims, ledger)


def _verify_platform(
    evidence: Evidence,
    known: Endorsements,
    *,
    report_data: bytes | None,
    nonce: bytes | None,
    at: datetime,
    anchors: Anchors,
    ledger: Ledger,
    memo: Memo | None,
) -> Claims:
    if evidence.type in WITH_NONCE_ALONE:
        if report_data is not None:
            raise InvalidArgumentError(f"{evidence.type} evidence has a nonce, and no report data")
        return nvidia.verify(
            evidence, known, nonce=nonce, at=at, anchors=anchors, ledger=ledger, memo=memo
        )
    if evidence.type in _PARAVISORS:
        return azure.verify(
            evidence.data,
            known,
            kind=_PARAVISORS[evidence.type],
            report_data=report_data,
            nonce=nonce,
            at=at,
            anchors=anchors,
            ledger=ledger,
            memo=memo,
        )
    if nonce is not None:
        raise InvalidArgumentError(
            f"{evidence.type} evidence has no nonce beside its report data: "
            "give --report-data instead"
        )
    return _PLATFORMS[evidence.type](
        evidence.data,
        known,
        report_data=report_data,
        at=at,
        anchors=anchors,
        ledger=ledger,
        memo=memo,
    )


def _gather(
    came_along: tuple[RawEndorsement, ...],
    endorsements: Endorsements,
    at: datetime,
    ledger: Ledger,
) -> Endorsements:
    """Adds what came with evidence to what was given."""
    del at
    known = endorsements
    if came_along:
        try:
            known = Endorsements.of_raw(came_along) + endorsements
        except ValueError as error:
            ledger.reject("evidence.endorsements", f"an endorsement cannot be read: {error}")
    ledger.passed("evidence.endorsements", f"{len(came_along)} came with the evidence")
    return known
