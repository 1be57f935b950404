"""The evidence token: an EAT (RFC 9711) in a compact JWS whose payload carries the evidence.

DESIGN section 6 and `docs/token.md` describe it; this module turns claims into
members and back, and knows no keys.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from wasmtime_attestation.evidence import base64url, members
from wasmtime_attestation.evidence.envelope import Evidence
from wasmtime_attestation.evidence.envelope_json import of_evidence, to_evidence
from wasmtime_attestation.evidence.strict_json import Json

PROFILE = "tag:wasmtime-attestation,2026:evidence-token#1"
REPLAYED_PROFILE = "tag:wasmtime-attestation,2026:replayed-evidence-token#1"
"""Of tokens whose evidence was recorded: only the process that replays it verifies them."""
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

_REQUIRED = {"eat_profile", "iat", "exp", "eat_nonce", "cnf", "evidence"}
_OPTIONAL = {"nbf", "aud", "guest_digest", "user_data"}
T = TypeVar("T")


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
        jwk = members.members("cnf.jwk", value, {"crv", "kty", "x", "y"})
        if jwk["crv"] != "P-384" or jwk["kty"] != "EC":
            raise ValueError("cnf.jwk is no P-384 key")
        point = cls(members.octets("cnf.jwk.x", jwk["x"]), members.octets("cnf.jwk.y", jwk["y"]))
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
            "evidence": [of_evidence(evidence) for evidence in self.evidence],
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
        payload = members.members("the payload", payload, _REQUIRED, _OPTIONAL)
        cnf = members.members("cnf", payload["cnf"], {"jwk"})
        return cls(
            profile=members.string("eat_profile", payload["eat_profile"]),
            issued_at=members.time("iat", payload["iat"]),
            expires_at=members.time("exp", payload["exp"]),
            not_before=members.time("nbf", payload["nbf"]) if "nbf" in payload else None,
            nonce=members.sized("eat_nonce", payload["eat_nonce"], NONCE_SIZES),
            key=KeyPoint.from_jwk(cnf["jwk"]),
            audience=_audience(payload["aud"]) if "aud" in payload else None,
            guest_digest=(
                members.sized("guest_digest", payload["guest_digest"], range(32, 33))
                if "guest_digest" in payload
                else None
            ),
            user_data=(
                members.sized("user_data", payload["user_data"], range(MAX_USER_DATA + 1))
                if "user_data" in payload
                else None
            ),
            evidence=tuple(
                to_evidence(item)
                for item in members.array("evidence", payload["evidence"], MAX_EVIDENCE)
            ),
        )


def _audience(value: Json) -> str:
    audience = members.string("aud", value)
    if not 0 < len(audience.encode()) <= MAX_AUDIENCE:
        raise ValueError(f"aud has no 1 to {MAX_AUDIENCE} bytes")
    return audience


def _optional(function: Callable[[bytes], T], value: bytes | None) -> T | None:
    return None if value is None else function(value)
