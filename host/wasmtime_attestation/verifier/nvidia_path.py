"""NVIDIA's certification paths: of devices and of those who sign manifests.

Source: RFC 5280 section 6.1, as far as NVIDIA's certificates use it; all keys are of P-384.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512
from cryptography.x509.oid import ExtendedKeyUsageOID

from wasmtime_attestation.endorsements import nvidia
from wasmtime_attestation.endorsements import x509 as certs
from wasmtime_attestation.endorsements.anchors import Anchor, Anchors, Role
from wasmtime_attestation.errors import UnavailableError
from wasmtime_attestation.verifier import p384

MAX_LENGTH = 8
"""Certificates in a path; devices have five, manifests four."""


def build(
    leaf: x509.Certificate,
    certificates: Sequence[x509.Certificate],
    at: datetime,
    anchors: Anchors,
    role: Role,
) -> list[x509.Certificate]:
    """Finds the path, by names, from a leaf to a root, or to a certificate that issued itself.

    Raises:
        ValueError: none of the certificates is the issuer of the one at the end, or there are
            too many.
        UnavailableError: there is no certificate that could be.
    """
    path = [leaf]
    while not _is_end(path[-1], anchors, role):
        if len(path) == MAX_LENGTH:
            raise ValueError(f"the chain has more than {MAX_LENGTH} certificates")
        path.append(_issuer(path, certificates, at))
    return path


def _is_end(certificate: x509.Certificate, anchors: Anchors, role: Role) -> bool:
    is_self_issued = certificate.issuer == certificate.subject
    return is_self_issued or anchors.find(certs.spki_sha256(certificate), role) is not None


def _issuer(
    path: list[x509.Certificate], certificates: Sequence[x509.Certificate], at: datetime
) -> x509.Certificate:
    """Takes, of several, one that signed and is valid; a wrong one is worse than none."""
    child = path[-1]
    others = [c for c in certificates if c not in path and not nvidia.is_device_leaf(c)]
    issuers = [c for c in others if c.subject == child.issuer]
    if len(issuers) == 1:
        return issuers[0]
    if issuers:
        return min(issuers, key=lambda c: (not certs.is_issued_by(child, c), _is_invalid(c, at)))
    parent, name = certs.common_name(child.issuer), certs.common_name(child.subject)
    if not others:
        raise UnavailableError(f"{parent or 'a certificate'}, which signs {name}, is missing")
    given = ", ".join(sorted({certs.common_name(c.subject) or "unnamed" for c in others})[:8])
    raise ValueError(f"{name} must be signed by {parent}, and none of {given} is that")


def _is_invalid(certificate: x509.Certificate, at: datetime) -> bool:
    return certs.invalid_at([certificate], at) is not None


def check(path: Sequence[x509.Certificate]) -> None:
    """Checks every link of a path: signatures, authorities, path lengths, keys.

    Args:
        path: from the leaf to the root.

    Raises:
        ValueError: a link does not hold.
    """
    if not 1 < len(path) <= MAX_LENGTH:
        raise ValueError(f"the chain has {len(path)} certificates, not 2 to {MAX_LENGTH}")
    _check_leaf(path[0])
    for depth, (child, parent) in enumerate(pairwise([*path, path[-1]])):
        name = certs.common_name(child.subject)
        if not p384.is_p384(child.public_key()) or not certs.has_whole_signature(
            child, certs.der(child)
        ):
            raise ValueError(f"{name} has no key of P-384 or an incomplete signature")
        if depth and not certs.is_authority(child, below=depth - 1):
            raise ValueError(f"{name} is no certification authority for this chain")
        if not certs.is_issued_by(child, parent) or not _is_signed_well(child):
            raise ValueError(f"{name} is not signed by {certs.common_name(parent.subject)}")


def _is_signed_well(certificate: x509.Certificate) -> bool:
    """Whether a signature that holds is made with a hash function that is no weaker than ours."""
    digest = certificate.signature_hash_algorithm
    return isinstance(digest, SHA256 | SHA384 | SHA512)


def _check_leaf(leaf: x509.Certificate) -> None:
    """The leaf signs data and no certificates."""
    name = certs.common_name(leaf.subject)
    critical = certs.unknown_critical_extension(leaf)
    if critical is not None:
        raise ValueError(f"{name} has the critical extension {critical}, which is not known")
    usage = _key_usage(leaf)
    if certs.is_authority(leaf) or (usage is not None and not usage.digital_signature):
        raise ValueError(f"{name} is no certificate for signing data")
    if _is_responder(leaf):
        raise ValueError(f"{name} is for signing OCSP responses and nothing else")


def _is_responder(certificate: x509.Certificate) -> bool:
    """Whether a certificate is a responder's: NVIDIA's authorities issue such leaves too."""
    try:
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return False
    return ExtendedKeyUsageOID.OCSP_SIGNING in usages


def _key_usage(certificate: x509.Certificate) -> x509.KeyUsage | None:
    try:
        return certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return None


def anchor_of(root: x509.Certificate, role: Role, anchors: Anchors) -> Anchor:
    """Returns what makes a root one for a role.

    Raises:
        ValueError: it is no pinned root and was not given as trusted.
    """
    fingerprint = certs.spki_sha256(root)
    anchor = anchors.find(fingerprint, role)
    if anchor is None:
        raise ValueError(
            f"the chain ends at {certs.common_name(root.subject)} (SPKI SHA-256 "
            f"{fingerprint.hex()}), which is not NVIDIA's root for {role} and was not given "
            "as trusted"
        )
    return anchor
