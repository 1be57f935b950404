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

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from wasmtime_attestation import verifier
from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.claims import Claims
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.evidence import base64url
from wasmtime_attestation.evidence import jwt as compact
from wasmtime_attestation.evidence.jwt import CompactJws
from wasmtime_attestation.evidence.strict_json import Json, brief
from wasmtime_attestation.evidence.token import (
    ALGORITHM,
    MAX_LIFETIME,
    PROFILE,
    TYPE,
    Binding,
    EvidenceToken,
    KeyPoint,
)
from wasmtime_attestation.memo import Memo, recall
from wasmtime_attestation.verifier.binding import digest, nonce_of, thumbprint

CLOCK_SKEW = 60
"""Seconds by which the issuer's clock may be ahead; an expired token gets none."""

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
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Expected:
    """What the caller demands of a token; None is reported as not checked."""

    nonce: bytes | None = None
    audience: str | None = None
    max_age_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """An authentic token.

    Attributes:
        issuer: the signing key's thumbprint as a URI (RFC 9278).
        token: what the token's host states.
        claims: what the evidence says.
    """

    issuer: str
    token: EvidenceToken
    claims: Claims

    def to_json(self) -> dict[str, Json]:
        """Returns the token's statements and the evidence's claims as JSON."""
        members: dict[str, Json] = {
            name: value
            for name, value in self.token.to_payload().items()
            if name not in {"evidence", "cnf"}
        }
        return {"issuer": self.issuer, "token": members, "evidence": [self.claims.to_json()]}


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
    ledger.plan(CHECKS)
    jws = _attempt(ledger, "token.format", lambda: compact.decode(text))
    _check_header(jws, ledger)
    token = _attempt(ledger, "token.format", lambda: EvidenceToken.from_payload(jws.payload))
    ledger.passed("token.format", f"{len(text)} characters")
    key_id = _check_key(jws, token, ledger)
    key = recall(memo, _load_key, token.key, at=at, ledger=ledger)
    _check_signature(jws, key, ledger)
    _check_times(token, expected, at, ledger)
    _check_expected(token, expected, ledger)
    claims = _verify_evidence(token, key_id, endorsements, at, anchors, ledger, memo)
    return VerifiedToken(issuer_uri(key_id), token, claims)


def issuer_uri(key_thumbprint: bytes) -> str:
    """Names an issuer by its key (RFC 9278)."""
    return f"urn:ietf:params:oauth:jwk-thumbprint:sha-256:{base64url.encode(key_thumbprint)}"


def _attempt(ledger: Ledger, check: str, decode: Callable[[], T]) -> T:
    try:
        return decode()
    except ValueError as error:
        ledger.reject(check, f"this is no evidence token: {error}")


def _check_header(jws: CompactJws, ledger: Ledger) -> None:
    for name, value, expected in (
        ("alg", jws.header.get("alg"), ALGORITHM),
        ("typ", jws.header.get("typ"), TYPE),
        ("eat_profile", jws.payload.get("eat_profile"), PROFILE),
    ):
        if value != expected:
            ledger.reject("token.profile", f"{name} is {brief(value)}; only {expected} is accepted")
    surplus = sorted(jws.header.keys() - {"alg", "typ", "kid"})
    if surplus:
        ledger.reject(
            "token.profile", f"the header has {brief([*surplus])}; only alg, typ and kid may be"
        )
    ledger.passed("token.profile", f"{ALGORITHM}, {TYPE}, {PROFILE}")


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
    signed = jws.text.rpartition(".")[0].encode("ascii")
    # The algorithm is ours to name; PyJWT's higher layers would ask the token's header.
    if not jwt.get_algorithm_by_name(ALGORITHM).verify(signed, key, jws.signature):
        ledger.reject(
            "token.signature", "the key in cnf did not sign this token: it was altered or forged"
        )
    ledger.passed("token.signature", "made by the key in cnf")


def _check_times(token: EvidenceToken, expected: Expected, at: datetime, ledger: Ledger) -> None:
    now = int(at.timestamp())
    starts = max(token.issued_at, token.not_before or 0)
    if not 0 < token.expires_at - token.issued_at <= MAX_LIFETIME:
        ledger.reject("token.time", f"iat to exp is not 1 to {MAX_LIFETIME} seconds")
    if now >= token.expires_at:
        ledger.reject("token.time", f"expired {now - token.expires_at} s ago; attest again")
    if now + CLOCK_SKEW < starts:
        ledger.reject(
            "token.time", f"not yet valid: it begins in {starts - now} s; compare the clocks"
        )
    ledger.passed("token.time", f"issued {now - token.issued_at} s ago, expires in "
                                f"{token.expires_at - now} s")  # fmt: skip
    limit = expected.max_age_seconds
    if limit is None:
        ledger.not_checked("token.age", "no maximum age was given")
    elif now - token.issued_at > limit:
        ledger.reject(
            "token.age", f"issued {now - token.issued_at} s ago; at most {limit} s allowed"
        )
    else:
        ledger.passed("token.age", f"at most {limit} s old")


def _check_expected(token: EvidenceToken, expected: Expected, ledger: Ledger) -> None:
    if expected.nonce is None:
        ledger.not_checked("token.nonce", "no nonce was given: the token may be a replay")
    elif not hmac.compare_digest(token.nonce, expected.nonce):
        ledger.reject("token.nonce", "the token answers another nonce: it may be a replay")
    else:
        ledger.passed("token.nonce", "the token answers the given nonce")
    if expected.audience is None:
        meant = "nobody" if token.audience is None else brief(token.audience)
        ledger.not_checked("token.audience", f"no audience was given; the token is for {meant}")
    elif token.audience != expected.audience:
        ledger.reject(
            "token.audience",
            f"the token is for {brief(token.audience)}, not for the expected audience",
        )
    else:
        ledger.passed("token.audience", f"the token is for {brief(token.audience)}")


def _verify_evidence(
    token: EvidenceToken,
    key_id: bytes,
    endorsements: Endorsements,
    at: datetime,
    anchors: Anchors,
    ledger: Ledger,
    memo: Memo | None,
) -> Claims:
    if len(token.evidence) != 1:
        ledger.reject("token.evidence", f"{len(token.evidence)} pieces of evidence instead of one")
    evidence = token.evidence[0]
    ledger.passed("token.evidence", f"one piece, {evidence.type}")
    bound = digest(binding_of(token, key_id))
    return verifier.verify(
        evidence,
        endorsements,
        nonce=nonce_of(evidence.type, bound),
        report_data=None if evidence.type in verifier.WITH_NONCE_ALONE else bound,
        at=at,
        anchors=anchors,
        ledger=ledger,
        memo=memo,
    )


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
