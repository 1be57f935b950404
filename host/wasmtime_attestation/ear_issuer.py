"""Issues EAT Attestation Results of the current draft: what we say, as Verifier, of evidence.

Source: draft-ietf-rats-ear section 3, profile `tag:ietf.org,2026:rats/ear#03`.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from wasmtime_attestation.appraisal.trustworthiness import Appraisal
from wasmtime_attestation.claims.trustworthiness import worst
from wasmtime_attestation.errors import InvalidArgumentError
from wasmtime_attestation.evidence import base64url
from wasmtime_attestation.evidence.strict_json import Json
from wasmtime_attestation.evidence.token import DEFAULT_LIFETIME
from wasmtime_attestation.verifier.ear import PROFILE
from wasmtime_attestation.wit import PACKAGE, VERSION, TeeType

ALGORITHM = "ES384"
TYPE = "eat+jwt"
DEVELOPER = "The wasmtime:attestation authors"
MAX_KEY = 1 << 16
"""Bytes of a key in PEM."""


class EarIssuer:
    """A key, and the attestation results that it signs.

    Args:
        key: on P-384.
    """

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        if not isinstance(key.curve, ec.SECP384R1):
            raise InvalidArgumentError(
                f"attestation results are signed with {ALGORITHM}: the key must be on P-384, and "
                f"is on {key.curve.name}; make one with "
                "`openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384`"
            )
        self._key = key
        spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.key_id = base64url.encode(hashlib.sha256(spki).digest())
        """Base64url of SHA-256 of the public key in DER."""

    @property
    def public_pem(self) -> bytes:
        """The public key, for those who verify."""
        return self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    @classmethod
    def from_pem(cls, data: bytes) -> EarIssuer:
        """Reads a private key in PEM, without a password.

        Raises:
            InvalidArgumentError: it is none, or not on P-384.
        """
        try:
            key = load_pem_private_key(data, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            # The library's words could quote the key.
            raise InvalidArgumentError("it is no private key in PEM without a password") from error
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise InvalidArgumentError("it is no private key on an elliptic curve; P-384 is needed")
        return cls(key)

    def issue(
        self,
        appraisals: Sequence[Appraisal],
        *,
        now: int,
        nonce: bytes | None = None,
        lifetime: int = DEFAULT_LIFETIME,
    ) -> str:
        """Signs an attestation result.

        Args:
            appraisals: of each environment, at least one.
            now: seconds since the Unix epoch.
            nonce: the challenge that the evidence answers, 8 to 64 bytes.
            lifetime: seconds until it expires.

        Returns:
            the compact token.
        """
        if not appraisals:
            raise ValueError("an attestation result is about something")
        claims: dict[str, Json] = {
            "eat_profile": PROFILE,
            "iat": now,
            "exp": now + lifetime,
            "ear_verifier_id": {"developer": DEVELOPER, "build": f"{PACKAGE}@{VERSION}"},
            "ear_status": worst(appraisal.stated for appraisal in appraisals),
            "submods": _submodules(appraisals),
        }
        if nonce is not None:
            claims["eat_nonce"] = base64url.encode(nonce)
        return jwt.encode(
            claims, self._key, algorithm=ALGORITHM, headers={"typ": TYPE, "kid": self.key_id}
        )


def _submodules(appraisals: Sequence[Appraisal]) -> dict[str, Json]:
    counts: Counter[str] = Counter()
    found: dict[str, Json] = {}
    for appraisal in appraisals:
        label = "gpu" if appraisal.claims.platform is TeeType.NVIDIA_GPU else "cpu"
        found[f"{label}{counts[label]}"] = _submodule(appraisal)
        counts[label] += 1
    return found


def _submodule(appraisal: Appraisal) -> Json:
    claims = appraisal.claims
    members = claims.to_json()
    evidence: dict[str, Json] = {claims.tee_type: members[claims.platform]}
    if "azure" in members:
        evidence["azure"] = members["azure"]
    if appraisal.guest_digest is not None:
        evidence["guest_digest"] = appraisal.guest_digest.hex()
    return {
        "ear_status": appraisal.stated,
        "ear_trustworthiness_vector": {
            aspect: claim.value for aspect, claim in appraisal.vector.items()
        },
        "ear_appraisal_policy_ids": [appraisal.policy],
        "ear_veraison_annotated_evidence": evidence,
    }
