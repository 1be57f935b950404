"""The evidence token: an EAT (RFC 9711) in a compact JWS whose payload carries the evidence.

DESIGN section 6 and `docs/token.md` describe it; this module turns claims into
members and back, and knows no keys.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from wasmtime_attestation.evidence import base64url
from wasmtime_attestation.evidence.envelope import (
    EndorsementType,
    Evidence,
    EvidenceType,
    RawEndorsement,
)
from wasmtime_attestation.evidence.strict_json import Json, brief

PROFILE = "tag:wasmtime-attestation,2026:evidence-token#1"
TYPE = "eat+jwt"
ALGORITHM = "ES384"
DEFAULT_LIFETIME = 300
MAX_LIFETIME = 3600
NONCE_SIZES = range(8, 65)
"""Bytes in a nonce (RFC 9711 section 4.1)."""
MAX_USER_DATA = 4096
"""Bytes of user data."""
MAX_AUDIENCE = 256
"""Bytes of UTF-8 in an audience."""
MAX_EVIDENCE = 16
MAX_ENDORSEMENTS = 64

_REQUIRED = {"eat_profile", "iat", "exp", "eat_nonce", "cnf", "evidence"}
_OPTIONAL = {"nbf", "aud", "guest_digest", "user_data"}
T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Binding:
    """What the evidence in a token is bound to (`docs/binding.md`).

    Attributes:
        profile: the `eat_profile`.
        nonce: 8 to 64 bytes.
        key_thumbprint: SHA-256 thumbprint (RFC 7638) of the key that signs the token.
        guest_digest: SHA-256 of the guest, or None.
        user_data: what the guest wants bound, or None.
        audience: whom the token is for, or None.
    """

    profile: str
    nonce: bytes
    key_thumbprint: bytes
    guest_digest: bytes | None = None
    user_data: bytes | None = None
    audience: str | None = None


@dataclass(frozen=True, slots=True)
class KeyPoint:
    """A P-384 public key as a JWK has it (RFC 7518 section 6.2)."""

    x: bytes
    y: bytes

    def to_jwk(self) -> dict[str, Json]:
        """Returns the members that RFC 7638 section 3.2 requires, in its order."""
        return {
            "crv": "P-384",
            "kty": "EC",
            "x": base64url.encode(self.x),
            "y": base64url.encode(self.y),
        }

    @classmethod
    def from_jwk(cls, value: Json) -> KeyPoint:
        """Reads a JWK that has exactly those members."""
        jwk = _members("cnf.jwk", value, {"crv", "kty", "x", "y"})
        if jwk["crv"] != "P-384" or jwk["kty"] != "EC":
            raise ValueError("cnf.jwk is no P-384 key")
        point = cls(_bytes("cnf.jwk.x", jwk["x"]), _bytes("cnf.jwk.y", jwk["y"]))
        if len(point.x) != 48 or len(point.y) != 48:
            raise ValueError("cnf.jwk has coordinates that are not 48 bytes long")
        return point


@dataclass(frozen=True, slots=True)
class EvidenceToken:
    """The claims of an evidence token; times are seconds since the Unix epoch."""

    profile: str
    issued_at: int
    expires_at: int
    not_before: int | None
    nonce: bytes
    key: KeyPoint
    audience: str | None
    guest_digest: bytes | None
    user_data: bytes | None
    evidence: tuple[Evidence, ...]

    def to_payload(self) -> dict[str, Json]:
        """Returns the members of the token's payload."""
        payload: dict[str, Json] = {
            "eat_profile": self.profile,
            "iat": self.issued_at,
            "exp": self.expires_at,
            "eat_nonce": base64url.encode(self.nonce),
            "cnf": {"jwk": self.key.to_jwk()},
            "evidence": [_evidence_members(evidence) for evidence in self.evidence],
        }
        optional: dict[str, Json] = {
            "nbf": self.not_before,
            "aud": self.audience,
            "guest_digest": _optional(base64url.encode, self.guest_digest),
            "user_data": _optional(base64url.encode, self.user_data),
        }
        return payload | {name: value for name, value in optional.items() if value is not None}

    @classmethod
    def from_payload(cls, payload: dict[str, Json]) -> EvidenceToken:
        """Reads the members of a payload.

        Raises:
            ValueError: a member is missing, unknown, or of the wrong kind or size.
        """
        members = _members("the payload", payload, _REQUIRED, _OPTIONAL)
        cnf = _members("cnf", members["cnf"], {"jwk"})
        return cls(
            profile=_string("eat_profile", members["eat_profile"]),
            issued_at=_time("iat", members["iat"]),
            expires_at=_time("exp", members["exp"]),
            not_before=_time("nbf", members["nbf"]) if "nbf" in members else None,
            nonce=_sized("eat_nonce", members["eat_nonce"], NONCE_SIZES),
            key=KeyPoint.from_jwk(cnf["jwk"]),
            audience=_audience(members["aud"]) if "aud" in members else None,
            guest_digest=(
                _sized("guest_digest", members["guest_digest"], range(32, 33))
                if "guest_digest" in members
                else None
            ),
            user_data=(
                _sized("user_data", members["user_data"], range(MAX_USER_DATA + 1))
                if "user_data" in members
                else None
            ),
            evidence=tuple(
                _evidence(item) for item in _array("evidence", members["evidence"], MAX_EVIDENCE)
            ),
        )


def _evidence_members(evidence: Evidence) -> Json:
    return {
        "type": evidence.type,
        "data": base64url.encode(evidence.data),
        "endorsements": [
            {"type": endorsement.type, "data": base64url.encode(endorsement.data)}
            for endorsement in evidence.endorsements
        ],
    }


def _evidence(value: Json) -> Evidence:
    members = _members("evidence", value, {"type", "data", "endorsements"})
    return Evidence(
        type=_one_of(EvidenceType, "evidence.type", members["type"]),
        data=_bytes("evidence.data", members["data"]),
        endorsements=tuple(
            _endorsement(item)
            for item in _array("endorsements", members["endorsements"], MAX_ENDORSEMENTS)
        ),
    )


def _endorsement(value: Json) -> RawEndorsement:
    members = _members("endorsement", value, {"type", "data"})
    return RawEndorsement(
        type=_one_of(EndorsementType, "endorsement.type", members["type"]),
        data=_bytes("endorsement.data", members["data"]),
    )


def _members(
    what: str, value: Json, required: set[str], optional: set[str] | None = None
) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise ValueError(f"{what} is no JSON object")
    missing = sorted(required - value.keys())
    if missing:
        raise ValueError(f"{what} lacks {', '.join(missing)}")
    unknown = sorted(value.keys() - required - (optional or set()))
    if unknown:
        raise ValueError(f"{what} has members that the profile does not know: {brief([*unknown])}")
    return value


def _array(what: str, value: Json, limit: int) -> list[Json]:
    if not isinstance(value, list) or len(value) > limit:
        raise ValueError(f"{what} is no array of at most {limit} items")
    return value


def _string(what: str, value: Json) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{what} is no string")
    return value


def _one_of(kinds: type[E], what: str, value: Json) -> E:
    for kind in kinds:
        if kind == value:
            return kind
    raise ValueError(f"{what} is {brief(value)}; known are {', '.join(kinds)}")


def _bytes(what: str, value: Json) -> bytes:
    try:
        return base64url.decode(_string(what, value))
    except ValueError as error:
        raise ValueError(f"{what} cannot be read: {error}") from error


def _sized(what: str, value: Json, sizes: range) -> bytes:
    data = _bytes(what, value)
    if len(data) not in sizes:
        raise ValueError(f"{what} has {len(data)} bytes, not {sizes.start} to {sizes.stop - 1}")
    return data


def _time(what: str, value: Json) -> int:
    # bool is an int in Python; 2**53 is what JSON numbers carry exactly.
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**53:
        raise ValueError(f"{what} is no whole number of seconds since 1970")
    return value


def _audience(value: Json) -> str:
    audience = _string("aud", value)
    if not 0 < len(audience.encode()) <= MAX_AUDIENCE:
        raise ValueError(f"aud has no 1 to {MAX_AUDIENCE} bytes")
    return audience


def _optional(function: Callable[[bytes], T], value: bytes | None) -> T | None:
    return None if value is None else function(value)
