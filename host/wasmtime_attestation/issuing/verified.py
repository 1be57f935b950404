"""EAT Attestation Results: this host verifies its own evidence, and says what it found."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

from wasmtime_attestation.appraisal.several import summary
from wasmtime_attestation.appraisal.token import appraise_each, check_issuers_result
from wasmtime_attestation.appraisal.trustworthiness import Appraisal, appraisal
from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.claims.verdict import TokenKind, Verdict
from wasmtime_attestation.ear_issuer import EarIssuer
from wasmtime_attestation.endorsements import jwks
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.evidence.token import DEFAULT_LIFETIME
from wasmtime_attestation.issuer import NONCE_SIZE
from wasmtime_attestation.issuing import Issued, Order, Source
from wasmtime_attestation.policy import AppraisalPolicy
from wasmtime_attestation.verifier import tokens
from wasmtime_attestation.verifier.expectations import Expected
from wasmtime_attestation.verifier.issuers import Issuer
from wasmtime_attestation.verifier.tokens import Trust

NAME = "this host as Verifier"


class EarSource:
    """Issues results about evidence tokens that it orders and verifies.

    Args:
        evidence: issues the evidence tokens.
        issuer: signs the results.
        trust: the roots and endorsements that count.
        policy: what the evidence is appraised with.
        clock: the time, in seconds since the Unix epoch.
    """

    def __init__(
        self,
        evidence: Source,
        issuer: EarIssuer,
        trust: Trust,
        policy: AppraisalPolicy,
        clock: Callable[[], float],
    ) -> None:
        self._evidence = evidence
        self._issuer = issuer
        self._trust = replace(
            trust, endorsements=trust.endorsements.waiving(policy.waived), issuers=()
        )
        self._policy = policy
        self._clock = clock
        keys = jwks.decode(issuer.public_pem)
        self._self = Issuer(NAME, TokenKind.EAR, frozenset(), keys)

    @property
    def kind(self) -> str:
        """What its tokens are."""
        return TokenKind.EAR.value

    @property
    def issuers(self) -> tuple[Issuer, ...]:
        """The host itself, as Verifier."""
        return (self._self,)

    def learn_keys(self) -> None:
        """There are none to learn."""

    def issue(self, order: Order) -> Issued:
        """Returns a result that affirms or warns; see `Source.issue`."""
        nonce = secrets.token_bytes(NONCE_SIZE) if order.nonce is None else order.nonce
        shown = self._evidence.issue(replace(order, nonce=nonce))
        now = int(self._clock())
        verdict = tokens.verify(
            shown.text,
            Expected(nonce, order.audience),
            self._trust,
            at=datetime.fromtimestamp(now, UTC),
            ledger=Ledger(),
        )
        found = tuple(self._appraised(verdict, datetime.fromtimestamp(now, UTC)))
        text = self._issuer.issue(found, now=now, nonce=nonce)
        self._check(text, nonce, now)
        return Issued(text, now, now + DEFAULT_LIFETIME, shown.evidence, self.kind)

    def _check(self, text: str, nonce: bytes, now: int) -> None:
        """Refuses what everybody would: of a simulation, say, a result is a no in itself."""
        trust = Trust(Anchors(()), self.issuers)
        at = datetime.fromtimestamp(now, UTC)
        check_issuers_result(tokens.verify(text, Expected(nonce), trust, at=at, ledger=Ledger()))

    def _appraised(self, verdict: Verdict, at: datetime) -> Iterator[Appraisal]:
        outcomes = [*appraise_each(verdict, self._policy, at=at)]
        # Raises the findings of all of them where one is refused.
        summary(outcomes)
        for claims, outcome in zip(verdict.evidence, outcomes, strict=True):
            yield appraisal(claims, self._policy, outcome, verdict.guest_digest)
