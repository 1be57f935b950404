"""What every token is held against, whoever issued it: time, age, nonce, audience."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.evidence import base64url
from wasmtime_attestation.evidence.strict_json import Json, brief
from wasmtime_attestation.memo.instant import worded

CLOCK_SKEW = 60
"""Seconds by which an issuer's clock may be ahead; an expired token gets none."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = int(datetime.max.replace(tzinfo=UTC).timestamp())
_MOST = 16
"""Values in a claim that may be a list."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What the caller demands of a token; None is reported as not checked.

    Attributes:
        nonce: the challenge that it must answer.
        audience: whom it must be for.
        max_age_seconds: how long ago it may have been issued.
        report_data: what the attester must have bound to the evidence behind the token of a
            service: 64 bytes.
        device_serials: the serial numbers of the certificates of the devices behind an NRAS
            token, in the order of the evidence.
    """

    nonce: bytes | None = None
    audience: str | None = None
    max_age_seconds: int | None = None
    report_data: bytes | None = None
    device_serials: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Period:
    """When a token is valid, in seconds since the Unix epoch.

    Attributes:
        issued_at: `iat`.
        expires_at: `exp`.
        not_before: `nbf`; None where it has none.
    """

    issued_at: int
    expires_at: int
    not_before: int | None = None


def instant(seconds: int) -> datetime:
    """Returns an instant by its seconds since the Unix epoch; the last one for any later."""
    return _EPOCH + timedelta(seconds=min(seconds, _LAST))


def period_of(claims: dict[str, Json], lifetime: int) -> Period:
    """Reads the times of a token.

    Args:
        claims: the token's claims.
        lifetime: for how long a token that has no `exp` counts.

    Raises:
        ValueError: `iat` is missing, or one is no whole number of seconds.
    """
    issued_at = _seconds(claims, "iat")
    return Period(
        issued_at,
        _seconds(claims, "exp") if "exp" in claims else issued_at + lifetime,
        _seconds(claims, "nbf") if "nbf" in claims else None,
    )


def check_period(
    period: Period, longest: int, at: datetime, ledger: Ledger, leeway: int = CLOCK_SKEW
) -> None:
    """Settles `token.time`.

    Args:
        period: when the token is valid.
        longest: seconds that it may live.
        at: the instant to verify at.
        ledger: records the check.
        leeway: seconds by which the issuer's clock may be ahead.

    Raises:
        RejectedError: it is not valid then, or lives too long.
    """
    now = int(worded(at).timestamp())
    starts = max(period.issued_at, period.not_before or 0)
    if not 0 < period.expires_at - period.issued_at <= longest:
        ledger.reject("token.time", f"iat to exp is not 1 to {longest} seconds")
    if at >= instant(period.expires_at):
        ledger.reject("token.time", f"expired {now - period.expires_at} s ago; attest again")
    if at < instant(starts - leeway):
        ledger.reject(
            "token.time", f"not yet valid: it begins in {starts - now} s; compare the clocks"
        )
    ledger.passed("token.time", f"issued {now - period.issued_at} s ago, expires in "
                                f"{period.expires_at - now} s")  # fmt: skip


def check_age(period: Period, expected: Expected, at: datetime, ledger: Ledger) -> None:
    """Settles `token.age`.

    Raises:
        RejectedError: the token was issued longer ago than the caller allows.
    """
    limit = expected.max_age_seconds
    if limit is None:
        ledger.not_checked("token.age", "no maximum age was given")
    elif at >= instant(period.issued_at + limit + 1):
        age = int(worded(at).timestamp()) - period.issued_at
        ledger.reject("token.age", f"issued {age} s ago; at most {limit} s allowed")
    else:
        ledger.passed("token.age", f"at most {limit} s old")


def check_audience(audiences: Sequence[str], expected: Expected, ledger: Ledger) -> None:
    """Settles `token.audience`.

    Args:
        audiences: whom the token is for.
        expected: what the caller demands.
        ledger: records the check.

    Raises:
        RejectedError: the token is for somebody else, or for nobody.
    """
    meant = " and ".join(brief(audience) for audience in audiences) or "nobody"
    if expected.audience is None:
        ledger.not_checked("token.audience", f"no audience was given; the token is for {meant}")
    elif expected.audience not in audiences:
        ledger.reject("token.audience", f"the token is for {meant}, not for the expected audience")
    else:
        ledger.passed("token.audience", f"the token is for {brief(expected.audience)}")


def check_nonce(claim: str | None, expected: Expected, ledger: Ledger, proves: str = "") -> None:
    """Settles `token.nonce` for a nonce that stands in the token as text.

    Args:
        claim: the nonce as the issuer wrote it; None where the token has none.
        expected: what the caller demands.
        ledger: records the check.
        proves: what a match is worth, where it is less than the freshness of the evidence.

    Raises:
        RejectedError: the token answers another nonce, or none.
    """
    if expected.nonce is None:
        ledger.not_checked("token.nonce", "no nonce was given: the token may be a replay")
    elif claim is None:
        ledger.reject("token.nonce", "the token answers no nonce at all: it may be a replay")
    elif not is_nonce(claim, expected.nonce):
        ledger.reject("token.nonce", "the token answers another nonce: it may be a replay")
    else:
        ledger.passed("token.nonce", f"the token answers the given nonce{proves}")


def is_nonce(claim: str, nonce: bytes) -> bool:
    """Whether a text is a nonce in hex, base64 or base64url, which issuers choose among."""
    padded = base64.urlsafe_b64encode(nonce).decode()
    forms = (nonce.hex(), base64url.encode(nonce), padded, base64.b64encode(nonce).decode())
    return any(hmac.compare_digest(claim.encode(), form.encode()) for form in forms)


def texts(value: Json, what: str) -> tuple[str, ...]:
    """Returns a claim that is a string or a list of strings; what is absent is empty.

    Raises:
        ValueError: it is neither.
    """
    items = [] if value is None else value if isinstance(value, list) else [value]
    if len(items) > _MOST or not all(isinstance(item, str) for item in items):
        raise ValueError(f"{what} is {brief(value)}, neither a string nor a list of strings")
    return tuple(item for item in items if isinstance(item, str))


def _seconds(claims: dict[str, Json], name: str) -> int:
    value = claims.get(name)
    # bool is an int in Python; 2**53 is what JSON numbers carry exactly.
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**53:
        raise ValueError(f"{name} is {brief(value)}, no whole number of seconds since 1970")
    return value
