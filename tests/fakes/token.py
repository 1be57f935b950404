"""A forger of evidence tokens: right unless told otherwise, and it signs anything.

It writes tokens by hand, after `docs/token.md` and `docs/binding.md`, and uses
nothing of the code that reads them.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384
from wasmtime_attestation.evidence.envelope import Evidence

from tests.fakes.amd import AT, MILAN, Machine

PROFILE = "tag:wasmtime-attestation,2026:evidence-token#1"
NOW = int(AT.timestamp())
"""When tokens are issued."""
LIFETIME = 300
NONCE = bytes(range(32))
Claims = dict[str, Any]


def encode(data: bytes) -> str:
    """Returns base64url without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def serialise(value: object) -> bytes:
    """Returns a JSON text; bytes are one already."""
    return value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()


def assemble(header: object, payload: object, signature: bytes) -> str:
    """Returns a compact JWS."""
    return f"{encode(serialise(header))}.{encode(serialise(payload))}.{encode(signature)}"


def recipe(crv: str, x: str, y: str) -> bytes:
    """Returns the SHA-256 thumbprint of an EC key (RFC 7638 section 3)."""
    return hashlib.sha256(
        f'{{"crv":"{crv}","kty":"EC","x":"{x}","y":"{y}"}}'.encode("ascii")
    ).digest()


def bind(
    nonce: bytes,
    thumbprint: bytes,
    guest_digest: bytes | None,
    user_data: bytes | None,
    audience: str | None,
) -> bytes:
    """Returns D, written out after `docs/binding.md`."""
    message = b"wasmtime:attestation binding\x00"
    for value in (
        PROFILE.encode(),
        nonce,
        thumbprint,
        guest_digest,
        user_data,
        None if audience is None else audience.encode("utf-8"),
    ):
        message += b"\x00" if value is None else b"\x01" + len(value).to_bytes(4, "big") + value
    return hashlib.sha512(message).digest()


def evidence_members(evidence: Evidence) -> Claims:
    """Returns evidence as tokens carry it."""
    return {
        "type": "amd-sev-snp",
        "data": encode(evidence.data),
        "endorsements": [
            {"type": str(e.type), "data": encode(e.data)} for e in evidence.endorsements
        ],
    }


def without(members: Mapping[str, Any], name: str) -> Claims:
    """Returns the members but one."""
    return {key: value for key, value in members.items() if key != name}


class Forger:
    """Whoever holds a signing key, on a machine that makes evidence for it.

    Args:
        key: the signing key, or a number to derive one from.
        machine: what the evidence comes from.
    """

    def __init__(
        self, key: ec.EllipticCurvePrivateKey | int = 1000, machine: Machine = MILAN
    ) -> None:
        self.key = ec.derive_private_key(key, ec.SECP384R1()) if isinstance(key, int) else key
        self.machine = machine

    @property
    def jwk(self) -> Claims:
        """The public key."""
        numbers = self.key.public_key().public_numbers()
        x, y = (encode(n.to_bytes(48, "big")) for n in (numbers.x, numbers.y))
        return {"kty": "EC", "crv": "P-384", "x": x, "y": y}

    @property
    def thumbprint(self) -> bytes:
        """SHA-256 of the public key (RFC 7638)."""
        return recipe("P-384", self.jwk["x"], self.jwk["y"])

    @property
    def header(self) -> Claims:
        """A right header."""
        return {"alg": "ES384", "typ": "eat+jwt", "kid": encode(self.thumbprint)}

    def payload(
        self,
        nonce: bytes = NONCE,
        *,
        guest_digest: bytes | None = None,
        user_data: bytes | None = None,
        audience: str | None = None,
        iat: int = NOW,
        **fields: int | bytes,
    ) -> Claims:
        """Returns right claims, whose evidence is bound to them.

        Args:
            nonce, guest_digest, user_data, audience: what is bound.
            iat: when the token is issued.
            fields: what differs in the report, by the names in `amd.LAYOUT`.
        """
        bound = bind(nonce, self.thumbprint, guest_digest, user_data, audience)
        evidence = self.machine.collect(bound)
        if fields:
            report = self.machine.report(report_data=bound, **fields)
            evidence = Evidence(evidence.type, report, evidence.endorsements)
        claims: Claims = {
            "eat_profile": PROFILE,
            "iat": iat,
            "exp": iat + LIFETIME,
            "eat_nonce": encode(nonce),
            "cnf": {"jwk": self.jwk},
            "evidence": [evidence_members(evidence)],
        }
        optional = {
            "guest_digest": None if guest_digest is None else encode(guest_digest),
            "user_data": None if user_data is None else encode(user_data),
            "aud": audience,
        }
        return claims | {name: value for name, value in optional.items() if value is not None}

    def sign(self, payload: object, header: object = None) -> str:
        """Signs any header and payload, JSON values or bytes, with ES384."""
        head = self.header if header is None else header
        signing_input = f"{encode(serialise(head))}.{encode(serialise(payload))}"
        return f"{signing_input}.{encode(self.signature(signing_input.encode('ascii')))}"

    def signature(self, signing_input: bytes) -> bytes:
        """Returns R and S, 48 bytes each (RFC 7518 section 3.4)."""
        r, s = decode_dss_signature(self.key.sign(signing_input, ec.ECDSA(SHA384())))
        return r.to_bytes(48, "big") + s.to_bytes(48, "big")

    def token(self, nonce: bytes = NONCE) -> str:
        """Returns a right token."""
        return self.sign(self.payload(nonce))
