"""Digests of sets of endorsements, by which a memo tells one from all others."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from cryptography import x509

from wasmtime_attestation.endorsements.amd_table import TableEntry
from wasmtime_attestation.endorsements.collateral import SignedStatement
from wasmtime_attestation.endorsements.jwks import JwkSet
from wasmtime_attestation.endorsements.ocsp import OcspResponse
from wasmtime_attestation.endorsements.rim import RimFile
from wasmtime_attestation.endorsements.x509 import der


def fingerprint(columns: Mapping[str, tuple[object, ...]]) -> bytes:
    """Returns SHA-256 over the items of each kind; no two sets hash the same bytes.

    Args:
        columns: the items by the names of their kinds.
    """
    digest = hashlib.sha256()
    for name, items in columns.items():
        digest.update(f"{name} {len(items)};".encode())
        for item in items:
            content = _content(item)
            digest.update(f"{len(content)};".encode() + content)
    return digest.digest()


def _content(item: object) -> bytes:
    match item:
        case bytes():
            return item
        case str():
            return item.encode()
        case x509.Certificate() | x509.CertificateRevocationList():
            return der(item)
        case SignedStatement() | TableEntry():
            return repr(item).encode()
        case RimFile():
            return repr(item).encode()
        case OcspResponse():
            return item.data
        case JwkSet():
            return item.content
        case _:
            raise TypeError(f"{type(item).__name__} has no bytes to hash")
