"""An issuer's public keys: a JWK Set (RFC 7517), a single JWK, or public keys in PEM.

Strict in what a key says of itself: numbers are minimal, a point is on its curve, the key in
`x5c` is the one in the members, and nothing secret stands in it. Keys of kinds that no issuer
here uses are left out, as RFC 7517 section 5 wants it.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

from wasmtime_attestation.endorsements.jwa import Algorithm, PublicKey, check_key, fits
from wasmtime_attestation.endorsements.x509 import load_certificate
from wasmtime_attestation.evidence import base64url, strict_json
from wasmtime_attestation.evidence.strict_json import Json, brief

MAX_KEYS = 100
"""Keys in a set; NVIDIA's has about 36, of two days."""
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
_PEM = b"-----BEGIN PUBLIC KEY-----"


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

    def serves(self, algorithm: Algorithm) -> bool:
        """Whether it may verify signatures of an algorithm."""
        return self.verifies and self.algorithm in (None, algorithm) and fits(algorithm, self.key)


@dataclass(frozen=True, slots=True)
class JwkSet:
    """Keys of one issuer; a `kid` stands once.

    Attributes:
        keys: the keys.
    """

    keys: tuple[Jwk, ...] = ()

    def __add__(self, other: JwkSet) -> JwkSet:
        """Joins two sets; a key that stands in both counts once.

        Raises:
            ValueError: a `kid` names two keys, or there are too many.
        """
        return JwkSet(tuple(dict.fromkeys(self.keys + other.keys))).checked()

    def __bool__(self) -> bool:
        return bool(self.keys)

    def candidates(self, key_id: str | None, algorithm: Algorithm) -> tuple[Jwk, ...]:
        """Returns the keys that may have made a signature.

        Args:
            key_id: the `kid` in the token's header; None where there is none.
            algorithm: how the signature is made.
        """
        return tuple(
            jwk
            for jwk in self.keys
            if jwk.serves(algorithm) and (None in (key_id, jwk.key_id) or key_id == jwk.key_id)
        )

    def checked(self) -> JwkSet:
        """Returns the set.

        Raises:
            ValueError: a `kid` stands twice, or there are too many keys.
        """
        if len(self.keys) > MAX_KEYS:
            raise ValueError(f"there are {len(self.keys)} keys; {MAX_KEYS} is the limit")
        names = [jwk.key_id for jwk in self.keys if jwk.key_id is not None]
        if len(set(names)) != len(names):
            raise ValueError("one kid names two keys")
        return self


def looks_like(data: bytes) -> bool:
    """Whether bytes can be meant as public keys: PEM, a JWK or a set of them."""
    start = data.lstrip()
    return start.startswith(_PEM) or (
        start.startswith(b"{") and (b'"keys"' in data or b'"kty"' in data)
    )


def decode(data: bytes) -> JwkSet:
    """Reads a JWK Set, a single JWK, or public keys in PEM.

    Raises:
        ValueError: it is none of these, a key is unfit, or none is of a known kind.
    """
    if data.lstrip().startswith(_PEM):
        return _of_pem(data)
    value = strict_json.loads(data)
    if not isinstance(value, dict):
        raise ValueError("it is no JSON object")
    return of_json(value)


def of_json(document: dict[str, Json]) -> JwkSet:
    """Reads a parsed JWK Set or JWK; see `decode`."""
    items = document.get("keys", [document])
    if not isinstance(items, list) or len(items) > MAX_KEYS:
        raise ValueError(f"keys is no array of at most {MAX_KEYS}")
    found = [_numbered(number, item) for number, item in enumerate(items)]
    keys = tuple(jwk for jwk in found if jwk is not None)
    if not keys:
        raise ValueError("it has no RSA key and none on P-256 or P-384")
    return JwkSet(keys).checked()


def _of_pem(data: bytes) -> JwkSet:
    blocks = [_PEM + block for block in data.split(_PEM)[1:]]
    if len(blocks) > MAX_KEYS:
        raise ValueError(f"there are {len(blocks)} keys; {MAX_KEYS} is the limit")
    try:
        keys = [_known(load_pem_public_key(block)) for block in blocks]
    except UnsupportedAlgorithm as error:
        raise ValueError(f"a public key is of an unknown kind: {error}") from error
    return JwkSet(tuple(dict.fromkeys(Jwk(None, key, _spki(key)) for key in keys)))


def _numbered(number: int, item: Json) -> Jwk | None:
    try:
        return _jwk(item)
    except ValueError as error:
        raise ValueError(f"key {number}: {error}") from error


def _jwk(item: Json) -> Jwk | None:
    """Returns a key, or None for one of a kind that is of no use here."""
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
