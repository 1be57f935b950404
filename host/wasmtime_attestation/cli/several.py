"""What several pieces of evidence come to: the worst of them, with everything that was found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.claims import Claims
from wasmtime_attestation.claims.gpu import NvidiaClaims
from wasmtime_attestation.errors import (
    AttestationError,
    Finding,
    PolicyError,
    RejectedError,
    UnavailableError,
)
from wasmtime_attestation.result import AttestationResult
from wasmtime_attestation.wit import Status

Outcome = AttestationResult | AttestationError | None
"""Of one piece: its appraisal, None without a policy, or what went wrong."""


def summary(outcomes: Sequence[Outcome]) -> AttestationResult | None:
    """Returns one result for all pieces, or None where no policy was applied.

    Args:
        outcomes: of each piece, in their order; at least one.

    Raises:
        RejectedError: a piece is not authentic.
        UnavailableError: none is rejected, and for one an endorsement is missing.
        PolicyError: all are authentic, and the policy does not accept one.
    """
    if len(outcomes) == 1:
        return _only(outcomes[0])
    if rejected := _numbered(outcomes, RejectedError):
        raise RejectedError(rejected)
    missing = [(i, e) for i, e in enumerate(outcomes) if isinstance(e, UnavailableError)]
    if missing:
        raise UnavailableError("; ".join(f"evidence [{i}]: {error}" for i, error in missing))
    if refused := _numbered(outcomes, PolicyError):
        raise PolicyError(refused)
    results = [outcome for outcome in outcomes if isinstance(outcome, AttestationResult)]
    if not results:
        return None
    warned = any(result.status is not Status.AFFIRMING for result in results)
    return AttestationResult(
        results[0].policy,
        Status.WARNING if warned else Status.AFFIRMING,
        _numbered(outcomes, AttestationResult),
    )


def check_device(claims: Claims, earlier: Iterable[Claims | None], ledger: Ledger) -> None:
    """Checks that a device does not stand for two: somebody may count them.

    Raises:
        RejectedError: `nvidia.device`, if an earlier piece is of the same one.
    """
    if not isinstance(claims.details, NvidiaClaims):
        return
    for index, other in enumerate(earlier):
        details = other.details if other else None
        if isinstance(details, NvidiaClaims) and details.ueid == claims.details.ueid:
            ledger.reject(
                "nvidia.device",
                f"device {details.ueid} is that of evidence [{index}]: each counts once",
            )


def _only(outcome: Outcome) -> AttestationResult | None:
    if isinstance(outcome, AttestationError):
        raise outcome
    return outcome


def _numbered(
    outcomes: Sequence[Outcome],
    kind: type[RejectedError | PolicyError | AttestationResult],
) -> tuple[Finding, ...]:
    return tuple(
        Finding(finding.check, f"evidence [{index}]: {finding.detail}")
        for index, outcome in enumerate(outcomes)
        if isinstance(outcome, kind)
        for finding in outcome.findings
    )
