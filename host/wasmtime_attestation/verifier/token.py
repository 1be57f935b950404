"""The evidence token: signature, times, and the evidence that is bound to its key.

The token never says how it is to be checked: algorithm, type and profile are
fixed here, and the key counts because the evidence binds it.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric import ec

from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.claims import Claims
from wasmtime_attestation.claims.verdict import TokenKind, Verdict, environments_of
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsements.jwa import Algorithm, check_signature
from wasmtime_attestation.evidence import base64url
from wasmtime_attestation.evidence import jwt as compact
from wasmtime_attestation.evidence.jwt import CompactJws
from wasmtime_attestation.evidence.strict_json import Json, brief
from wasmtime_attestation.evidence.token import (
    ALGORITHM,
    MAX_LIFETIME,
    PROFILE,
    REPLAYED_PROFILE,
    TYPE,
    Binding,
    EvidenceToken,
    KeyPoint,
)
from wasmtime_attestation.memo import Memo, recall
from wasmtime_attestation.verifier.binding import digest, thumbprint
from wasmtime_attestation.verifier.expectations import (
    Expected,
    Period,
    check_age,
    check_audience,
    check_period,
)
from wasmtime_attestation.verifier.token_evidence import verify_evidence

CHECKS = (
    "token.format",
    "token.profile",
    "token.key",
    "token.signature",
    "token.time",
    "token.age",
    "token.nonce",
    "token.audience",
    "token.evidence",
)
_REPLAYED = (
    "a host that replays a recording made the token: its evidence is bound to none of this, and "
    "only the process that replays it verifies such tokens; attest on the machine itself"
)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """An authentic token.

    Attributes:
        issuer: the signing key's thumbprint as a URI (RFC 9278).
        token: what the token's host states.
        claims: what each piece of evidence says; the virtual machine's come first.
    """

    issuer: str
    token: EvidenceToken
    claims: tuple[Claims, ...]

    @property
    def verdict(self) -> Verdict:
        """What the token says, in the words for every kind of token."""
        members: dict[str, Json] = {
            name: value
            for name, value in self.token.to_payload().items()
            if name not in {"evidence", "cnf"}
        }
        return Verdict(
            kind=TokenKind.EVIDENCE,
            issuer=self.issuer,
            issued_at=self.token.issued_at,
            expires_at=self.token.expires_at,
            environments=environments_of(self.claims),
            token=members,
            nonce=base64url.encode(self.token.nonce),
            audience=self.token.audience,
            guest_digest=self.token.guest_digest,
            evidence=self.claims,
        )


def verify_token(
    text: str,
    expected: Expected,
    endorsements: Endorsements,
    *,
    at: datetime,
    anchors: Anchors,
    ledger: Ledger,
    memo: Memo | None = None,
) -> VerifiedToken:
    """Verifies an evidence token.

    Args:
        text: the compact JWS.
        expected: what it must say.
        endorsements: endorsements besides those in the token.
        at: the instant to verify at, with a time zone.
        anchors: the roots to trust.
        ledger: records each check.
        memo: remembers what was verified before of the same platform; it only saves time.

    Raises:
        RejectedError: the token or its evidence is not authentic, or not as expected.
        UnavailableError: an endorsement is missing.
    """
    token, key_id = authenticate(text, PROFILE, expected, at=at, ledger=ledger, memo=memo)
    bound = digest(binding_of(token, key_id))
    evidence = verify_evidence(
        token.evidence, bound, endorsements, at=at, anchors=anchors, ledger=ledger, memo=memo
    )
    return VerifiedToken(issuer_uri(key_id), token, evidence)


def authenticate(
    text: str,
    profile: str,
    expected: Expected,
    *,
    at: datetime,
    ledger: Ledger,
    memo: Memo | None = None,
) -> tuple[EvidenceToken, bytes]:
    """Checks everything about a token but its evidence, without which its key counts for nothing.

    Args:
        text: the compact JWS.
        profile: the `eat_profile` that it must have.
        expected: what it must say.
        at: the instant to verify at, with a time zone.
        ledger: records each check.
        memo: what was verified before; it only saves time.

    Returns:
        the token, and the thumbprint of the key that signed it.

    Raises:
        RejectedError: the token is not authentic, or not as expected.
    """
    ledger.plan(CHECKS)
    jws = _attempt(ledger, "token.format", lambda: compact.decode(text))
    claims = _attempt(ledger, "token.format", jws.claims)
    _check_header(jws, claims, profile, ledger)
    token = _attempt(ledger, "token.format", lambda: EvidenceToken.from_payload(claims))
    ledger.passed("token.format", f"{len(text)} characters")
    key_id = _check_key(jws, token, ledger)
    key = recall(memo, _load_key, token.key, at=at, ledger=ledger)
    _check_signature(jws, key, ledger)
    _check_times(token, expected, at, ledger)
    _check_expected(token, expected, ledger)
    return token, key_id


def issuer_uri(key_thumbprint: bytes) -> str:
    """Names an issuer by its key (RFC 9278)."""
    return f"urn:ietf:params:oauth:jwk-thumbprint:sha-256:{base64url.encode(key_thumbprint)}"


def _attempt(ledger: Ledger, check: str, decode: Callable[[], T]) -> T:
    try:
        return decode()
    except ValueError as error:
        ledger.reject(check, f"this is no evidence token: {error}")


def _check_header(jws: CompactJws, claims: dict[str, Json], profile: str, ledger: Ledger) -> None:
    for name, value, expected in (
        ("alg", jws.header.get("alg"), ALGORITHM),
        ("typ", jws.header.get("typ"), TYPE),
        ("eat_profile", claims.get("eat_profile"), profile),
    ):
        if value != expected:
            reason = f"; {_REPLAYED}" if value == REPLAYED_PROFILE else ""
            ledger.reject(
                "token.profile", f"{name} is {brief(value)}; only {expected} is accepted{reason}"
            )
    surplus = sorted(jws.header.keys() - {"alg", "typ", "kid"})
    if surplus:
        ledger.reject(
            "token.profile", f"the header has {brief([*surplus])}; only alg, typ and kid may be"
        )
    ledger.passed("token.profile", f"{ALGORITHM}, {TYPE}, {profile}")


def _check_key(jws: CompactJws, token: EvidenceToken, ledger: Ledger) -> bytes:
    key_id = thumbprint(token.key)
    given = jws.header.get("kid")
    if not isinstance(given, str) or not hmac.compare_digest(
        given.encode(), base64url.encode(key_id).encode()
    ):
        ledger.reject("token.key", "kid is not the thumbprint of the key in cnf")
    ledger.passed("token.key", issuer_uri(key_id))
    return key_id


def _load_key(point: KeyPoint, at: datetime, ledger: Ledger) -> ec.EllipticCurvePublicKey:
    del at
    encoded = b"\x04" + point.x + point.y  # uncompressed, SEC 1 section 2.3.3
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP384R1(), encoded)
    except ValueError:
        ledger.reject("token.key", "the key in cnf is no point on P-384")


def _check_signature(jws: CompactJws, key: ec.EllipticCurvePublicKey, ledger: Ledger) -> None:
    try:
        check_signature(Algorithm(ALGORITHM), key, jws.signature, jws.signing_input)
    except ValueError:
        ledger.reject(
            "token.signature", "the key in cnf did not sign this token: it was altered or forged"
        )
    ledger.passed("token.signature", "made by the key in cnf")


def _check_times(token: EvidenceToken, expected: Expected, at: datetime, ledger: Ledger) -> None:
    period = Period(token.issued_at, token.expires_at, token.not_before)
    check_period(period, MAX_LIFETIME, at, ledger)
    check_age(period, expected, at, ledger)


def _check_expected(token: EvidenceToken, expected: Expected, ledger: Ledger) -> None:
    if expected.nonce is None:
        ledger.not_checked("token.nonce", "no nonce was given: the token may be a replay")
    elif not hmac.compare_digest(token.nonce, expected.nonce):
        ledger.reject("token.nonce", "the token answers another nonce: it may be a replay")
    else:
        ledger.passed("token.nonce", "the token answers the given nonce")
    check_audience(() if token.audience is None else (token.audience,), expected, ledger)


def binding_of(token: EvidenceToken, key_thumbprint: bytes) -> Binding:
    """Returns what the evidence in a token must be bound to."""
    return Binding(
        profile=token.profile,
        nonce=token.nonce,
        key_thumbprint=key_thumbprint,
        guest_digest=token.guest_digest,
        user_data=token.user_data,
        audience=token.audience,
    )
