"""Several pieces of evidence that stand together: a virtual machine and its devices."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.claims import Claims
from wasmtime_attestation.claims.gpu import NvidiaClaims
from wasmtime_attestation.errors import Finding, RejectedError, UnavailableError
from wasmtime_attestation.evidence.envelope import Evidence

Piece = Claims | RejectedError | UnavailableError
"""What one piece says, or why it counts for nothing."""


def verify_each(
    evidence: Sequence[Evidence], ledger: Ledger, verify: Callable[[Evidence, Ledger], Claims]
) -> tuple[Piece, ...]:
    """Verifies every piece, whatever became of those before, so that each is reported.

    Args:
        evidence: the pieces.
        ledger: records the checks; of several pieces, each with its index.
        verify: verifies one.
    """
    found: list[Piece] = []
    for index, piece in enumerate(evidence):
        own = ledger.piece(index) if len(evidence) > 1 else ledger
        try:
            claims = verify(piece, own)
            _check_device(claims, found, own)
        except (RejectedError, UnavailableError) as error:
            found.append(error)
        else:
            found.append(claims)
    return tuple(found)


def authentic(found: Sequence[Piece]) -> tuple[Claims, ...]:
    """Returns what the pieces say, if all of them are authentic.

    Raises:
        RejectedError: a piece is not authentic; every finding is named.
        UnavailableError: none is rejected, and for one an endorsement is missing.
    """
    rejected = [(i, piece) for i, piece in enumerate(found) if isinstance(piece, RejectedError)]
    missing = [(i, piece) for i, piece in enumerate(found) if isinstance(piece, UnavailableError)]
    if len(found) == 1:
        for _, error in (*rejected, *missing):
            raise error
    if rejected:
        raise RejectedError(
            [numbered(index, finding) for index, error in rejected for finding in error.findings]
        )
    if missing:
        raise UnavailableError("; ".join(f"evidence [{i}]: {error}" for i, error in missing))
    return tuple(piece for piece in found if isinstance(piece, Claims))


def numbered(index: int, finding: Finding) -> Finding:
    """Returns a finding that says which piece it is about."""
    return Finding(finding.check, f"evidence [{index}]: {finding.detail}")


def _check_device(claims: Claims, earlier: Sequence[Piece], ledger: Ledger) -> None:
    """A device must not stand for two: somebody may count them."""
    if not isinstance(claims.details, NvidiaClaims):
        return
    for index, other in enumerate(earlier):
        details = other.details if isinstance(other, Claims) else None
        if isinstance(details, NvidiaClaims) and details.ueid == claims.details.ueid:
            ledger.reject(
                "nvidia.device",
                f"device {details.ueid} is that of evidence [{index}]: each counts once",
            )
