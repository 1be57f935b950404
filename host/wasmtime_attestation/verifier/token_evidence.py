"""The evidence in a token: of one machine, of devices, or of a machine and its devices."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from wasmtime_attestation import verifier
from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.claims import Claims
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.evidence.envelope import Evidence
from wasmtime_attestation.memo import Memo
from wasmtime_attestation.verifier.binding import nonce_of
from wasmtime_attestation.verifier.pieces import authentic, verify_each


def verify_evidence(
    pieces: Sequence[Evidence],
    bound: bytes,
    endorsements: Endorsements,
    *,
    at: datetime,
    anchors: Anchors,
    ledger: Ledger,
    memo: Memo | None = None,
) -> tuple[Claims, ...]:
    """Verifies the evidence of a token.

    Args:
        pieces: of the machine, of devices, or of both.
        bound: D, the 64 bytes that each piece must be bound to.
        endorsements: endorsements besides those in the evidence.
        at: the instant to verify at, with a time zone.
        anchors: the roots to trust.
        ledger: records each check.
        memo: what was verified before; it only saves time.

    Raises:
        RejectedError: a piece is not authentic, or bound to something else.
        UnavailableError: an endorsement is missing.
    """
    _check_pieces(pieces, ledger)

    def verify(evidence: Evidence, own: Ledger) -> Claims:
        return verifier.verify(
            evidence,
            endorsements,
            nonce=nonce_of(evidence.type, bound),
            report_data=None if evidence.type in verifier.WITH_NONCE_ALONE else bound,
            at=at,
            anchors=anchors,
            ledger=own,
            memo=memo,
        )

    return authentic(verify_each(pieces, ledger, verify))


def _check_pieces(pieces: Sequence[Evidence], ledger: Ledger) -> None:
    """One machine at most, and first: of two, each could be the one that holds the key."""
    if not pieces:
        ledger.reject("token.evidence", "the token carries no evidence")
    if any(piece.type not in verifier.WITH_NONCE_ALONE for piece in pieces[1:]):
        ledger.reject(
            "token.evidence",
            "evidence of a virtual machine stands behind other evidence; a token is about one "
            "machine, which comes first",
        )
    kinds = Counter(piece.type for piece in pieces)
    ledger.passed("token.evidence", ", ".join(f"{n} of {kind}" for kind, n in kinds.items()))
