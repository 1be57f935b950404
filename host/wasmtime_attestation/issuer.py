"""Issues evidence tokens, with a key that is made at start and never leaves memory."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384

from wasmtime_attestation.errors import UnavailableError
from wasmtime_attestation.evidence import base64url
from wasmtime_attestation.evidence import jwt as compact
from wasmtime_attestation.evidence.envelope import Evidence
from wasmtime_attestation.evidence.strict_json import Json
from wasmtime_attestation.evidence.token import (
    ALGORITHM,
    DEFAULT_LIFETIME,
    MAX_EVIDENCE,
    MAX_LIFETIME,
    PROFILE,
    TYPE,
    Binding,
    EvidenceToken,
    KeyPoint,
)
from wasmtime_attestation.verifier import checkpoint
from wasmtime_attestation.verifier.binding import digest, thumbprint

NONCE_SIZE = 32
"""Bytes in the nonce of a token that answers nobody's challenge."""


class TokenIssuer:
    """One signing key and the tokens it signs.

    Args:
        lifetime: seconds from issue to expiry, at most `MAX_LIFETIME`.
        profile: the `eat_profile` of the tokens; another one where evidence is only replayed.
    """

    def __init__(self, lifetime: int = DEFAULT_LIFETIME, profile: str = PROFILE) -> None:
        if not 0 < lifetime <= MAX_LIFETIME:
            raise ValueError(f"a token lives 1 to {MAX_LIFETIME} seconds")
        self._lifetime = lifetime
        self._profile = profile
        self._key = ec.generate_private_key(ec.SECP384R1())
        numbers = self._key.public_key().public_numbers()
        self._point = KeyPoint(numbers.x.to_bytes(48, "big"), numbers.y.to_bytes(48, "big"))
        self.key_thumbprint = thumbprint(self._point)
        self.key_id = base64url.encode(self.key_thumbprint)

    @property
    def key_jwk(self) -> dict[str, Json]:
        """The public key."""
        return self._point.to_jwk()

    def sign_checkpoint(self, data: bytes) -> bytes:
        """Signs a checkpoint of the journal, which no signature under a token can pass for.

        Args:
            data: the checkpoint, at most `checkpoint.MAX_SIZE` bytes.

        Returns:
            R and S in one row, 96 bytes.
        """
        signature = self._key.sign(checkpoint.signing_input(data), ec.ECDSA(SHA384()))
        return b"".join(part.to_bytes(48, "big") for part in decode_dss_signature(signature))

    def issue(
        self,
        collect: Callable[[bytes], tuple[Evidence, ...]],
        *,
        nonce: bytes | None,
        audience: str | None,
        guest_digest: bytes | None,
        user_data: bytes | None,
        now: int,
    ) -> tuple[str, EvidenceToken]:
        """Collects evidence that is bound to a new token and signs it.

        Args:
            collect: collects evidence that is bound to D (64 bytes).
            nonce: the challenge, 8 to 64 bytes; None for a random one.
            audience: whom the token is for.
            guest_digest: SHA-256 of the guest.
            user_data: what the guest wants bound.
            now: seconds since the Unix epoch.

        Returns:
            the compact token and its claims.

        Raises:
            UnavailableError: there is more evidence than any verifier reads.
        """
        binding = Binding(
            profile=self._profile,
            nonce=secrets.token_bytes(NONCE_SIZE) if nonce is None else nonce,
            key_thumbprint=self.key_thumbprint,
            guest_digest=guest_digest,
            user_data=user_data,
            audience=audience,
        )
        token = EvidenceToken(
            profile=binding.profile,
            issued_at=now,
            expires_at=now + self._lifetime,
            not_before=None,
            nonce=binding.nonce,
            key=self._point,
            audience=audience,
            guest_digest=guest_digest,
            user_data=user_data,
            evidence=collect(digest(binding)),
        )
        return _checked(self._sign(token), token), token

    def _sign(self, token: EvidenceToken) -> str:
        return jwt.encode(
            token.to_payload(),
            self._key,
            algorithm=ALGORITHM,
            headers={"typ": TYPE, "kid": self.key_id},
        )


def _checked(text: str, token: EvidenceToken) -> str:
    """Refuses what every verifier would reject, where it can still be said why."""
    count = len(token.evidence)
    if count > MAX_EVIDENCE:
        raise UnavailableError(
            f"there are {count} pieces of evidence, and a token takes {MAX_EVIDENCE}: attest the "
            "virtual machine and single GPUs (gpu:N)"
        )
    if len(text) > compact.MAX_SIZE:
        raise UnavailableError(
            f"the token would have {len(text)} characters, and verifiers read "
            f"{compact.MAX_SIZE}: leave out the boot log or endorsements, or attest single GPUs"
        )
    return text
