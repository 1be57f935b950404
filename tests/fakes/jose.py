"""Keys of issuers, and tokens signed with them: written by hand after RFC 7515, 7517 and 7518.

Nothing of the code that reads tokens is used.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from tests.fakes.amd import AT
from tests.fakes.token import assemble, encode, serialise

Private = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
Members = dict[str, Any]
_SIZES = {"secp256r1": 32, "secp384r1": 48}
_CURVES = {"secp256r1": "P-256", "secp384r1": "P-384"}


@cache
def p256(number: int = 1001) -> ec.EllipticCurvePrivateKey:
    """Returns a key on P-256."""
    return ec.derive_private_key(number, ec.SECP256R1())


@cache
def p384(number: int = 1002) -> ec.EllipticCurvePrivateKey:
    """Returns a key on P-384."""
    return ec.derive_private_key(number, ec.SECP384R1())


@cache
def rsa_key(number: int = 0, bits: int = 2048, exponent: int = 65537) -> rsa.RSAPrivateKey:
    """Returns an RSA key; another for each number."""
    del number
    return rsa.generate_private_key(exponent, bits)


def signature(key: Private, algorithm: str, data: bytes) -> bytes:
    """Signs as RFC 7518 section 3 has it, whatever the algorithm's name says of the curve."""
    digest: HashAlgorithm = SHA256() if algorithm.endswith("256") else SHA384()
    if isinstance(key, ec.EllipticCurvePrivateKey):
        r, s = decode_dss_signature(key.sign(data, ec.ECDSA(digest)))
        size = _SIZES[key.curve.name]
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")
    if algorithm.startswith("PS"):
        return key.sign(data, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
    return key.sign(data, padding.PKCS1v15(), digest)


def sign(key: Private, header: Mapping[str, Any] | bytes, payload: object, algorithm: str) -> str:
    """Returns a compact JWS with any header and payload."""
    data = f"{encode(serialise(header))}.{encode(serialise(payload))}".encode()
    return assemble(header, payload, signature(key, algorithm, data))


def numbers(key: Private) -> Members:
    """Returns the public members of a key (RFC 7518 sections 6.2.1 and 6.3.1)."""
    if isinstance(key, ec.EllipticCurvePrivateKey):
        point, size = key.public_key().public_numbers(), _SIZES[key.curve.name]
        x, y = (encode(n.to_bytes(size, "big")) for n in (point.x, point.y))
        return {"kty": "EC", "crv": _CURVES[key.curve.name], "x": x, "y": y}
    public = key.public_key().public_numbers()
    n, e = (encode(i.to_bytes((i.bit_length() + 7) // 8, "big")) for i in (public.n, public.e))
    return {"kty": "RSA", "n": n, "e": e}


def x5c(*certificates: x509.Certificate) -> list[str]:
    """Returns certificates as a JWK carries them (RFC 7517 section 4.7)."""
    return [base64.b64encode(c.public_bytes(Encoding.DER)).decode() for c in certificates]


def certificate(
    key: Private,
    name: str,
    issuer: tuple[str, Private] | None = None,
    *,
    authority: bool = False,
    days: int = 30,
) -> x509.Certificate:
    """Returns a certificate, signed by itself where no issuer is named."""
    issuer_name, issuer_key = issuer or (name, key)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(issuer_name))
        .serial_number(77)
        .not_valid_before(AT - timedelta(days=1))
        .not_valid_after(AT + timedelta(days=days))
        .public_key(key.public_key())
    )
    if authority:
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)  # noqa: FBT003
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), True)  # noqa: FBT003
        builder = builder.add_extension(usage, True)  # noqa: FBT003
    return builder.sign(issuer_key, SHA256())


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@dataclass(frozen=True)
class Signer:
    """One key of an issuer, with its name and algorithm."""

    key: Private
    algorithm: str
    key_id: str | None = "key-1"

    @property
    def header(self) -> Members:
        """A right header."""
        named = {} if self.key_id is None else {"kid": self.key_id}
        return {"alg": self.algorithm, "typ": "JWT"} | named

    @property
    def jwk(self) -> Members:
        """The public key."""
        return numbers(self.key) | ({} if self.key_id is None else {"kid": self.key_id})

    def sign(self, payload: object, header: Mapping[str, Any] | bytes | None = None) -> str:
        """Signs a payload."""
        return sign(self.key, self.header if header is None else header, payload, self.algorithm)


def jwks(*jwks: Mapping[str, Any] | Sequence[Any]) -> bytes:
    """Returns a JWK Set."""
    return serialise({"keys": list(jwks)})
