"""What the appraisals of several pieces of evidence come to: the worst, with every finding."""

from __future__ import annotations

from collections.abc import Sequence

from wasmtime_attestation.errors import PolicyError
from wasmtime_attestation.result import AttestationResult
from wasmtime_attestation.verifier.pieces import numbered
from wasmtime_attestation.wit import Status

Outcome = AttestationResult | PolicyError
"""Of one piece: its appraisal, or what the policy does not accept."""


def summary(outcomes: Sequence[Outcome]) -> AttestationResult:
    """Returns one result for all pieces.

    Args:
        outcomes: of each piece, in their order; at least one.

    Raises:
        PolicyError: the policy does not accept one; every finding of every such piece is named.
    """
    refused = [(i, error) for i, error in enumerate(outcomes) if isinstance(error, PolicyError)]
    results = [outcome for outcome in outcomes if isinstance(outcome, AttestationResult)]
    if len(outcomes) == 1:
        for _, error in refused:
            raise error
        return results[0]
    if refused:
        raise PolicyError(
            [numbered(index, finding) for index, error in refused for finding in error.findings]
        )
    warned = any(result.status is not Status.AFFIRMING for result in results)
    findings = (numbered(i, f) for i, result in enumerate(results) for f in result.findings)
    return AttestationResult(
        results[0].policy, Status.WARNING if warned else Status.AFFIRMING, tuple(findings)
    )
