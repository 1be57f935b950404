"""A token of a service, up to the point where its kind matters: signed, in time, for us."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.endorsements.jwa import Algorithm
from wasmtime_attestation.endorsements.jwks import JwkSet
from wasmtime_attestation.errors import RejectedError
from wasmtime_attestation.evidence.jwt import CompactJws
from wasmtime_attestation.evidence.strict_json import Json
from wasmtime_attestation.verifier import jws
from wasmtime_attestation.verifier.expectations import (
    Expected,
    Period,
    check_age,
    check_audience,
    check_period,
    period_of,
    texts,
)
from wasmtime_attestation.verifier.issuer_keys import check_pins
from wasmtime_attestation.verifier.issuers import Issuer

CHECKS = (
    "token.format",
    "token.issuer",
    "token.profile",
    "token.key",
    "token.signature",
    "token.time",
    "token.age",
    "token.audience",
    "token.nonce",
)
"""What is checked of a token of any service."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token whose signature and times hold.

    Attributes:
        issuer: who issued it.
        claims: what it says.
        period: when it is valid.
        audiences: whom it is for.
    """

    issuer: Issuer
    claims: dict[str, Json]
    period: Period
    audiences: tuple[str, ...]

    @property
    def named(self) -> str:
        """The issuer as the token names it, else as the configuration does."""
        named = self.claims.get("iss")
        return named if isinstance(named, str) else self.issuer.name

    @property
    def audience(self) -> str | None:
        """Whom the token is for, as one text."""
        return ", ".join(self.audiences) or None


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the tokens of one verification.

    Attributes:
        expected: what the caller demands.
        at: the instant to verify at.
        ledger: records each check.
    """

    expected: Expected
    at: datetime
    ledger: Ledger

    def parse(self, text: str) -> tuple[CompactJws, dict[str, Json]]:
        """Returns the parts and the claims, with nothing verified (`token.format`)."""
        parts = self.recorded(lambda: jws.parse(text))
        claims = self.attempt(lambda: parts.claims(floats=True))
        return parts, claims

    def accept_algorithm(self, parts: CompactJws, issuer: Issuer) -> Algorithm:
        """Returns how the token is signed, which is a way of the issuer's (`token.profile`)."""
        algorithm = self.recorded(lambda: jws.accepted_algorithm(parts, issuer.accepted_algorithms))
        self.ledger.passed("token.profile", f"{algorithm}, which {issuer.name} uses")
        return algorithm

    def authenticate(
        self,
        parts: CompactJws,
        claims: dict[str, Json],
        issuer: Issuer,
        keys: JwkSet,
        algorithm: Algorithm,
    ) -> IssuedToken:
        """Checks key, signature, times and age.

        Raises:
            RejectedError: one of them does not hold.
        """
        signed = self.recorded(lambda: jws.signed_by(parts, keys, algorithm))
        check_pins(signed.key, issuer, self.at, self.ledger)
        self.ledger.passed("token.signature", f"made by {issuer.name}")
        period = self.attempt(lambda: period_of(claims, issuer.longest_life))
        check_period(period, issuer.longest_life, self.at, self.ledger, issuer.leeway)
        check_age(period, self.expected, self.at, self.ledger)
        audiences = self.attempt(lambda: texts(claims.get("aud"), "aud"))
        return IssuedToken(issuer, claims, period, audiences)

    def check_audience(self, token: IssuedToken) -> None:
        """Settles `token.audience`."""
        check_audience(token.audiences, self.expected, self.ledger)

    def attempt(self, decode: Callable[[], T], check: str = "token.format") -> T:
        """Returns what a decoder makes of the token; what it refuses fails a check."""
        try:
            return decode()
        except (ValueError, RecursionError) as error:
            self.ledger.reject(check, f"the token is malformed: {error}")

    def recorded(self, verify: Callable[[], T]) -> T:
        """Returns what a check that knows no ledger returns, and records its failure."""
        try:
            return verify()
        except RejectedError as error:
            self.ledger.record(error.findings[0])
            raise
