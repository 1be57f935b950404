"""ECDSA on P-384 with SHA-384, as NVIDIA writes signatures: raw, big-endian."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384

SIGNATURE_SIZE = 96


def is_p384(key: object) -> bool:
    """Whether a public key is one of P-384."""
    return isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP384R1)


def is_signed(key: object, signature: bytes, data: bytes) -> bool:
    """Whether a key of P-384 made a signature, R and S in 96 bytes, over data."""
    if not isinstance(key, ec.EllipticCurvePublicKey) or not is_p384(key):
        return False
    if len(signature) != SIGNATURE_SIZE:
        return False
    r, s = (int.from_bytes(half, "big") for half in (signature[:48], signature[48:]))
    try:
        key.verify(encode_dss_signature(r, s), data, ec.ECDSA(SHA384()))
    except InvalidSignature:
        return False
    return True
