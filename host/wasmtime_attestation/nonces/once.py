"""Using the nonce of a token that is about to be accepted."""

from __future__ import annotations

import hashlib

from wasmtime_attestation.errors import InvalidArgumentError, RejectedError
from wasmtime_attestation.nonces import NonceRecord

CHECK = "token.nonce"
SKEW = 300
"""Seconds by which clocks of relying parties that share a record may differ."""


def use_once(
    record: NonceRecord, nonce: bytes, expires_at: int, guest_digest: bytes | None = None
) -> None:
    """Uses the nonce of a token that is right in everything else.

    Args:
        record: of nonces that were used.
        nonce: the challenge, which the token answers.
        expires_at: when the token expires, in seconds since the Unix epoch.
        guest_digest: SHA-256 of the guest that accepts it; no guest can use up another's nonce.

    Raises:
        RejectedError: a token with this nonce was accepted before.
        UnavailableError: nobody knows.
        InvalidArgumentError: the token lasts longer than nonces are remembered.
    """
    try:
        is_first = record.use(_written(guest_digest, nonce), expires_at + SKEW)
    except ValueError as error:
        raise InvalidArgumentError(f"the token's nonce cannot be recorded: {error}") from error
    if not is_first:
        raise RejectedError.of(CHECK, "a token with this nonce was accepted before: it is a replay")


def _written(guest_digest: bytes | None, nonce: bytes) -> bytes:
    if guest_digest is None:
        return nonce
    return hashlib.sha256(b"guest\n" + guest_digest + nonce).digest()
