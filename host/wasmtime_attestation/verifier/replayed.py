"""Tokens of a host that replays a recording, for that host alone (DESIGN section 6, "replayed").

Recorded evidence is bound to the key, nonce and guest of the host that recorded it, so nobody
can verify it as a token's own. The process that replays knows its own key and the recording: it
checks that the token is its own, that it carries what was recorded, and that what was recorded
was authentic then. No other path accepts the profile of these tokens.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.claims.verdict import Verdict
from wasmtime_attestation.evidence.envelope import Evidence
from wasmtime_attestation.evidence.token import REPLAYED_PROFILE, Binding
from wasmtime_attestation.verifier.binding import digest
from wasmtime_attestation.verifier.expectations import Expected
from wasmtime_attestation.verifier.token import (
    VerifiedToken,
    authenticate,
    issuer_uri,
)
from wasmtime_attestation.verifier.token_evidence import verify_evidence
from wasmtime_attestation.verifier.tokens import Trust


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was recorded, as far as verification needs it.

    Attributes:
        evidence: every piece.
        binding: what the evidence is bound to.
        at: when it was collected, in seconds since the Unix epoch.
        redacted: what was taken out of it; nothing redacted verifies.
    """

    evidence: tuple[Evidence, ...]
    binding: Binding
    at: int
    redacted: tuple[str, ...] = ()

    @property
    def instant(self) -> datetime:
        """When it was collected."""
        return datetime.fromtimestamp(self.at, UTC)


def verify_replayed(
    text: str,
    expected: Expected,
    recorded: Recorded,
    own_key: bytes,
    trust: Trust,
    *,
    at: datetime,
    ledger: Ledger,
) -> Verdict:
    """Verifies a token of this process, which replays a recording.

    Args:
        text: the compact JWS.
        expected: what it must say.
        recorded: what this process replays.
        own_key: the thumbprint of this process's key, which never leaves its memory.
        trust: the roots that count, and endorsements besides those in the token.
        at: the instant at which the token must be valid; its evidence is verified as of when it
            was recorded.
        ledger: records each check.

    Raises:
        RejectedError: the token is none of this process, or the recording is not authentic.
        UnavailableError: an endorsement is missing.
    """
    token, key_id = authenticate(text, REPLAYED_PROFILE, expected, at=at, ledger=ledger)
    if not hmac.compare_digest(key_id, own_key):
        ledger.reject("token.key", "another process replays this: its key is not ours")
    if any(piece not in recorded.evidence for piece in token.evidence):
        ledger.reject("token.evidence", "the token carries evidence that was not recorded")
    if recorded.redacted:
        removed = ", ".join(recorded.redacted)[:300]
        ledger.reject("token.evidence", f"the recording is redacted and proves nothing: {removed}")
    claims = verify_evidence(
        token.evidence,
        digest(recorded.binding),
        trust.endorsements,
        at=recorded.instant,
        anchors=trust.anchors,
        ledger=ledger,
    )
    verdict = VerifiedToken(issuer_uri(key_id), token, claims).verdict
    return replace(verdict, replayed=recorded.instant)
