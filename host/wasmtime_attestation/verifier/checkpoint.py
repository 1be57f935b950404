"""The signature under a journal's checkpoint: ES384 by the host's attested key.

The same key signs tokens. What is signed here begins with a tag that no JWS can begin with: a JWS
signs base64url characters and one dot (RFC 7515 section 5.1), and the tag has blanks, a colon and
a zero byte. So neither signature can ever pass for the other.
"""

from __future__ import annotations

from wasmtime_attestation.endorsements import jwk
from wasmtime_attestation.endorsements.jwa import Algorithm, PublicKey, check_signature
from wasmtime_attestation.evidence.token import KeyPoint

TAG = b"wasmtime:attestation journal checkpoint\0"
MAX_SIZE = 4096
"""Bytes of a checkpoint, without its signature."""
SIGNATURE_SIZE = 96


def signing_input(checkpoint: bytes) -> bytes:
    """Returns what is signed for a checkpoint.

    Raises:
        ValueError: it is empty or larger than `MAX_SIZE`.
    """
    if not 0 < len(checkpoint) <= MAX_SIZE:
        raise ValueError(f"a checkpoint has 1 to {MAX_SIZE} bytes, not {len(checkpoint)}")
    return TAG + checkpoint


def check(point: KeyPoint, signature: bytes, checkpoint: bytes) -> None:
    """Checks the signature of a checkpoint.

    Args:
        point: the key.
        signature: R and S in one row, 96 bytes.
        checkpoint: its bytes, without the signature.

    Raises:
        ValueError: the key did not make it, or is none.
    """
    check_signature(Algorithm.ES384, loaded(point), signature, signing_input(checkpoint))


def loaded(point: KeyPoint) -> PublicKey:
    """Returns a key.

    Raises:
        ValueError: the point is not on the curve.
    """
    key = jwk.of_json(point.to_jwk())
    if key is None:
        raise ValueError("the key is none on P-384")
    return key.key
