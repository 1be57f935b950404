"""What a host makes of a token: it verifies and appraises it under its settings."""

from __future__ import annotations

import hmac
from dataclasses import replace
from datetime import datetime

from wasmtime_attestation.appraisal.token import appraise_token
from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.claims.verdict import TokenKind, Verdict
from wasmtime_attestation.errors import Finding, PolicyError, RejectedError
from wasmtime_attestation.evidence import jwt
from wasmtime_attestation.issuer import TokenIssuer
from wasmtime_attestation.policy import AppraisalPolicy
from wasmtime_attestation.service_settings import Settings
from wasmtime_attestation.verifier import tokens
from wasmtime_attestation.verifier.expectations import Expected
from wasmtime_attestation.verifier.issuers import Issuer
from wasmtime_attestation.verifier.replayed import verify_replayed
from wasmtime_attestation.verifier.token import issuer_uri
from wasmtime_attestation.verifier.tokens import Trust
from wasmtime_attestation.wit import Status


class Judge:
    """Judges tokens; the same text, issuers and instant always come to the same.

    Args:
        settings: what is trusted and accepted.
        issuer: signs this host's tokens.
    """

    def __init__(self, settings: Settings, issuer: TokenIssuer) -> None:
        self._settings = settings
        self._issuer = issuer

    def status(self, token: str, issuers: tuple[Issuer, ...], at: datetime) -> Status:
        """Returns the status of a token of this host or of a service under the host's policy.

        Args:
            token: the text.
            issuers: the services whose tokens this host hands out.
            at: the instant, in whole seconds.

        Raises:
            AttestationError: it is not accepted.
        """
        policy = self._settings.policy
        verdict = self.verify(token, Expected(), policy, issuers, at)
        if verdict.kind is TokenKind.EVIDENCE and not self._is_own(verdict):
            raise RejectedError.of("token.issuer", "another host issued the token")
        return self._appraise(verdict, policy, at)

    def verify(
        self,
        token: str,
        expected: Expected,
        policy: AppraisalPolicy | None,
        issuers: tuple[Issuer, ...],
        at: datetime,
    ) -> Verdict:
        """Verifies a token of any host or known service.

        Args:
            token: the text.
            expected: what it must say.
            policy: says which endorsements may be missing; None for none.
            issuers: the services whose tokens this host hands out.
            at: the instant, in whole seconds.

        Raises:
            AttestationError: it is not authentic, or not as expected.
        """
        endorsements = self._settings.endorsements.waiving(policy.waived if policy else ())
        issuers = (*self._settings.issuers, *issuers)
        trust = Trust(self._settings.anchors, issuers, endorsements)
        recorded = self._settings.recorded
        if recorded is not None and jwt.key_id(token) == self._issuer.key_id:
            own_key = self._issuer.key_thumbprint
            return verify_replayed(
                token, expected, recorded, own_key, trust, at=at, ledger=Ledger()
            )
        return tokens.verify(token, expected, trust, at=at, ledger=Ledger())

    def appraise(self, verdict: Verdict, policy: AppraisalPolicy, at: datetime) -> Status:
        """Appraises a token of any host.

        Genuine hardware can run any software: another host needs reference values.

        Raises:
            PolicyError: the policy does not accept it.
        """
        names_software = not verdict.evidence or any(
            policy.has_reference_values_for(claims.platform, paravisor=claims.has_paravisor)
            for claims in verdict.evidence
        )
        if not self._is_own(verdict) and not names_software:
            detail = (
                f"another host issued the token, and policy {policy.name} has no measurements: "
                "it cannot tell which software made it; name a policy with reference values"
            )
            raise PolicyError([Finding("policy.reference-values", detail)])
        return self._appraise(verdict, policy, at)

    def _appraise(self, verdict: Verdict, policy: AppraisalPolicy, at: datetime) -> Status:
        if verdict.replayed is None:
            return appraise_token(verdict, policy, at=at).status
        # As of when it was recorded, and with the age that the token has now.
        shifted = verdict.issued_at - int((at - verdict.replayed).total_seconds())
        appraise_token(replace(verdict, issued_at=shifted), policy, at=verdict.replayed)
        return Status.WARNING

    def _is_own(self, verdict: Verdict) -> bool:
        own = issuer_uri(self._issuer.key_thumbprint)
        return hmac.compare_digest(verdict.issuer.encode(), own.encode())
