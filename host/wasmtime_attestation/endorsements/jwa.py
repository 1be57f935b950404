"""The signature algorithms of issuers' tokens (RFC 7518 section 3), and what each demands.

The primitives are `cryptography`'s. PyJWT's are not used to verify: they leave the ranges of
R and S, the curve and the size of a key to lower layers, and their public functions take the
algorithm from a list that the token's header chooses from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384

PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey
RSA_SIZES = range(2048, 8193)
"""Bits of a modulus: fewer are weak (RFC 7518 section 3.3), more only cost time."""
RSA_EXPONENTS = range(1 << 16, 1 << 32)
"""Public exponents, of which only odd ones exist (FIPS 186-5 section 5.1)."""


class Algorithm(StrEnum):
    """The algorithms that an issuer may be configured with. HMAC and `none` are none of them."""

    ES256 = "ES256"
    ES384 = "ES384"
    PS256 = "PS256"
    PS384 = "PS384"
    RS256 = "RS256"
    RS384 = "RS384"


@dataclass(frozen=True, slots=True)
class _Curve:
    """An elliptic curve: the order of its group (SP 800-186 section 3.2.1) and bytes of it."""

    name: str
    order: int
    size: int


_P256 = _Curve("secp256r1", 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551, 32)
_P384 = _Curve(
    "secp384r1",
    0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
    48,
)


def fits(algorithm: Algorithm, key: PublicKey) -> bool:
    """Whether a key is of the kind, curve and strength that an algorithm takes."""
    if isinstance(key, rsa.RSAPublicKey):
        return algorithm in _RSA
    return algorithm in _ECDSA and _ECDSA[algorithm][0].name == key.curve.name


def check_key(key: PublicKey) -> None:
    """Refuses a key that no algorithm here should be used with.

    Raises:
        ValueError: it is too small or large, or its exponent is unfit.
    """
    if isinstance(key, ec.EllipticCurvePublicKey):
        return
    exponent = key.public_numbers().e
    if key.key_size not in RSA_SIZES:
        raise ValueError(
            f"its modulus has {key.key_size} bits, not {RSA_SIZES.start} to {RSA_SIZES.stop - 1}"
        )
    if exponent not in RSA_EXPONENTS or exponent % 2 == 0:
        raise ValueError("its public exponent is not an odd number between 2^16 and 2^32")


def check_signature(algorithm: Algorithm, key: PublicKey, signature: bytes, data: bytes) -> None:
    """Checks a signature in the form that a JWS has it.

    Args:
        algorithm: how it was made.
        key: what made it; it must fit the algorithm.
        signature: R and S in one row for ECDSA, the number for RSA.
        data: what is signed.

    Raises:
        ValueError: the key did not make it, the key does not fit, or the form is another.
    """
    if not fits(algorithm, key):
        raise ValueError(f"the key is none for {algorithm}")
    check_key(key)
    try:
        if isinstance(key, rsa.RSAPublicKey):
            _check_rsa(algorithm, key, signature, data)
        else:
            _check_ecdsa(algorithm, key, signature, data)
    except InvalidSignature as error:
        raise ValueError("the key did not make the signature") from error


def _check_ecdsa(
    algorithm: Algorithm, key: ec.EllipticCurvePublicKey, signature: bytes, data: bytes
) -> None:
    """RFC 7518 section 3.4; the ranges are those of FIPS 186-5 section 6.4.2."""
    curve, hash_algorithm = _ECDSA[algorithm]
    if len(signature) != 2 * curve.size:
        raise ValueError(f"the signature has {len(signature)} bytes, not {2 * curve.size}")
    r, s = (
        int.from_bytes(half, "big") for half in (signature[: curve.size], signature[curve.size :])
    )
    if not (0 < r < curve.order and 0 < s < curve.order):
        raise ValueError("R or S is not between 1 and the order of the curve's group")
    key.verify(encode_dss_signature(r, s), data, ec.ECDSA(hash_algorithm))


def _check_rsa(algorithm: Algorithm, key: rsa.RSAPublicKey, signature: bytes, data: bytes) -> None:
    """RFC 7518 sections 3.3 and 3.5; a salt is as long as the hash."""
    hash_algorithm, pad = _RSA[algorithm]
    if len(signature) != (key.key_size + 7) // 8:
        raise ValueError(f"the signature has {len(signature)} bytes, another number than the key")
    key.verify(signature, data, pad(hash_algorithm), hash_algorithm)


def _pss(hash_algorithm: SHA256 | SHA384) -> padding.PSS:
    return padding.PSS(padding.MGF1(hash_algorithm), salt_length=hash_algorithm.digest_size)


def _pkcs1(_: SHA256 | SHA384) -> padding.PKCS1v15:
    return padding.PKCS1v15()


_ECDSA: Mapping[Algorithm, tuple[_Curve, SHA256 | SHA384]] = MappingProxyType(
    {Algorithm.ES256: (_P256, SHA256()), Algorithm.ES384: (_P384, SHA384())}
)
_Pad = Callable[[SHA256 | SHA384], padding.AsymmetricPadding]
_RSA: Mapping[Algorithm, tuple[SHA256 | SHA384, _Pad]] = MappingProxyType(
    {
        Algorithm.PS256: (SHA256(), _pss),
        Algorithm.PS384: (SHA384(), _pss),
        Algorithm.RS256: (SHA256(), _pkcs1),
        Algorithm.RS384: (SHA384(), _pkcs1),
    }
)
