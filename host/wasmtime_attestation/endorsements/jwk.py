"""One public key of an issuer, as a JWK (RFC 7517) says it.

Strict in what a key says of itself: numbers are minimal, a point is on its curve, the key in
`x5c` is the one in the members, and nothing secret stands in it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
    load_pem_public_key,
)

from wasmtime_attestation.endorsements.jwa import Algorithm, PublicKey, check_key, fits
from wasmtime_attestation.endorsements.x509 import der, load_certificate
from wasmtime_attestation.evidence import base64url
from wasmtime_attestation.evidence.strict_json import Json, brief

MAX_CHAIN = 10
"""Certificates in `x5c`."""
MAX_KEY_ID = 256
"""Characters in `kid`."""

_CURVES: dict[Json, tuple[ec.EllipticCurve, int]] = {
    "P-256": (ec.SECP256R1(), 32),
    "P-384": (ec.SECP384R1(), 48),
}
# RFC 7518 sections 6.2.2, 6.3.2 and 6.4.
_SECRET = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


@dataclass(frozen=True, slots=True)
class Jwk:
    """One public key that verifies signatures.

    Attributes:
        key_id: its `kid`; None where it has none.
        key: the key.
        spki: the key as a SubjectPublicKeyInfo in DER.
        algorithm: the only one it is for; None where it does not say.
        verifies: whether `use` and `key_ops` let it verify signatures.
        chain: the certificates in `x5c`, the key's own first.
    """

    key_id: str | None
    key: PublicKey = field(compare=False)
    spki: bytes
    algorithm: str | None = None
    verifies: bool = True
    chain: tuple[x509.Certificate, ...] = ()

    def __reduce__(self) -> tuple[Callable[..., Jwk], tuple[object, ...]]:
        """Neither keys nor certificates can be pickled; their bytes can."""
        return _restored, self._content

    @property
    def _content(self) -> tuple[object, ...]:
        chain = tuple(map(der, self.chain))
        return self.key_id, self.spki, self.algorithm, self.verifies, chain

    @property
    def content(self) -> bytes:
        """Everything that it says, as bytes."""
        return repr(self._content).encode()

    def serves(self, algorithm: Algorithm) -> bool:
        """Whether it may verify signatures of an algorithm."""
        return self.verifies and self.algorithm in (None, algorithm) and fits(algorithm, self.key)


def of_pem(data: bytes) -> Jwk:
    """Reads a public key in PEM, which has no `kid`.

    Raises:
        ValueError: it is none, or of an unknown kind.
    """
    try:
        key = _known(load_pem_public_key(data))
    except UnsupportedAlgorithm as error:
        raise ValueError(f"a public key is of an unknown kind: {error}") from error
    return Jwk(None, key, _spki(key))


def _restored(
    key_id: str | None, spki: bytes, algorithm: str | None, verifies: bool, chain: tuple[bytes, ...]
) -> Jwk:
    key = _known(load_der_public_key(spki))
    return Jwk(key_id, key, spki, algorithm, verifies, tuple(map(load_certificate, chain)))


def of_json(item: Json) -> Jwk | None:
    """Reads a parsed JWK, or returns None for one of a kind that no issuer here uses.

    Raises:
        ValueError: it is none, contradicts itself, has a secret in it, or is unfit.
    """
    if not isinstance(item, dict):
        raise ValueError("it is no JSON object")
    if secret := sorted(_SECRET & item.keys()):
        raise ValueError(f"it has {', '.join(secret)}: that is a secret key, and no public one")
    chain = _chain(item.get("x5c"))
    key = _key(item, chain)
    if key is None:
        return None
    check_key(key)
    spki = _spki(key)
    if chain and spki != _spki(_known(chain[0].public_key())):
        raise ValueError("the first certificate in x5c is for another key")
    return Jwk(
        key_id=_text(item, "kid"),
        key=key,
        spki=spki,
        algorithm=_text(item, "alg"),
        verifies=_verifies(item),
        chain=chain,
    )


def _key(item: dict[str, Json], chain: tuple[x509.Certificate, ...]) -> PublicKey | None:
    kind = item.get("kty")
    if kind == "EC" and ("x" in item or "y" in item):
        return _elliptic(item)
    if kind == "RSA" and ("n" in item or "e" in item):
        return _rsa(item)
    if kind not in ("EC", "RSA"):
        return None
    if not chain:
        raise ValueError("it has neither numbers nor a certificate")
    key = _known(chain[0].public_key())
    if isinstance(key, rsa.RSAPublicKey) != (kind == "RSA"):
        raise ValueError("the first certificate in x5c is for a key of another kind")
    return key


def _elliptic(item: dict[str, Json]) -> ec.EllipticCurvePublicKey | None:
    name = _text(item, "crv")
    if name not in _CURVES:
        return None
    curve, size = _CURVES[name]
    x, y = _octets(item, "x"), _octets(item, "y")
    if len(x) != size or len(y) != size:
        raise ValueError(f"a coordinate is not {size} bytes long")
    # Raises ValueError for what is no point on the curve.
    return ec.EllipticCurvePublicKey.from_encoded_point(curve, b"\x04" + x + y)


def _rsa(item: dict[str, Json]) -> rsa.RSAPublicKey:
    n, e = _octets(item, "n"), _octets(item, "e")
    if not n or not e or n[0] == 0 or e[0] == 0:
        raise ValueError("n or e is empty or begins with a zero byte")
    return rsa.RSAPublicNumbers(int.from_bytes(e, "big"), int.from_bytes(n, "big")).public_key()


def _chain(value: Json) -> tuple[x509.Certificate, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not 0 < len(value) <= MAX_CHAIN:
        raise ValueError(f"x5c is no array of 1 to {MAX_CHAIN} certificates")
    return tuple(load_certificate(_standard_base64(item)) for item in value)


def _standard_base64(value: Json) -> bytes:
    if not isinstance(value, str):
        raise ValueError("x5c has an item that is no string")
    try:
        data = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("x5c has an item that is no base64") from error
    if base64.b64encode(data).decode("ascii") != value:
        raise ValueError("x5c has an item that is not canonical base64")
    return data


def _verifies(item: dict[str, Json]) -> bool:
    operations = item.get("key_ops", ["verify"])
    if not isinstance(operations, list):
        raise ValueError("key_ops is no array")
    return _text(item, "use") in (None, "sig") and "verify" in operations


def _text(item: dict[str, Json], name: str) -> str | None:
    value = item.get(name)
    if value is None and name not in item:
        return None
    if not isinstance(value, str) or not 0 < len(value) <= MAX_KEY_ID:
        raise ValueError(f"{name} is {brief(value)}, no string of at most {MAX_KEY_ID} characters")
    return value


def _octets(item: dict[str, Json], name: str) -> bytes:
    value = item.get(name)
    if not isinstance(value, str):
        raise ValueError(f"{name} is no string")
    try:
        return base64url.decode(value)
    except ValueError as error:
        raise ValueError(f"{name} cannot be read: {error}") from error


def _known(key: object) -> PublicKey:
    if isinstance(key, rsa.RSAPublicKey) or (
        isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in ("secp256r1", "secp384r1")
    ):
        check_key(key)
        return key
    raise ValueError("a key is neither RSA nor on P-256 or P-384")


def _spki(key: PublicKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
