"""Certification paths (RFC 5280 section 6): from a certificate to a root that is trusted.

The rules are those of `cryptography`'s verifier, which its authors hold against
x509-limbo: signatures, algorithms (no SHA-1), validity, basic
constraints and path length, name constraints, critical extensions, and bounded
effort. AMD's chains are not for it (a serial number of 0, RSASSA-PSS parameters
written out in full): `verifier.amd_chain` walks these.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    Policy,
    PolicyBuilder,
    Store,
    VerificationError,
)

MAX_INTERMEDIATES = 8
"""Certificates between the leaf and the root; vendors' chains have one to three."""
MAX_CERTIFICATES = 64
"""Certificates that a path is looked for among."""
MIN_RSA_BITS = 2048


def verify_path(
    leaf: x509.Certificate,
    intermediates: Sequence[x509.Certificate],
    roots: Sequence[x509.Certificate],
    *,
    at: datetime,
    extended_key_usage: x509.ObjectIdentifier | None = None,
    max_intermediates: int = MAX_INTERMEDIATES,
) -> tuple[x509.Certificate, ...]:
    """Finds a valid path.

    Args:
        leaf: the certificate in question; its own key may not sign certificates.
        intermediates: what may stand between, in any order.
        roots: what is trusted; the caller has held them against its anchors.
        at: the instant at which every certificate must be valid, with a time zone.
        extended_key_usage: the purpose that the leaf must be for; None for any.
        max_intermediates: how many may stand between leaf and root.

    Returns:
        The path, from the leaf to the root.

    Raises:
        ValueError: there is none; the message says what stood in the way.
    """
    if not roots:
        raise ValueError("there is no root to end at")
    if len(intermediates) + len(roots) > MAX_CERTIFICATES:
        raise ValueError(f"there are more than {MAX_CERTIFICATES} certificates")
    builder = (
        PolicyBuilder()
        .store(Store([*roots]))
        .time(at.astimezone(UTC).replace(tzinfo=None))
        .max_chain_depth(max_intermediates)
        .extension_policies(ca_policy=_AUTHORITY, ee_policy=_leaf_policy(extended_key_usage))
    )
    try:
        path = tuple(builder.build_client_verifier().verify(leaf, [*intermediates]).chain)
    except (VerificationError, ValueError) as error:
        raise ValueError(_reason(error)) from error
    if any(map(_is_weak, path)):
        raise ValueError(f"an RSA key on the path has less than {MIN_RSA_BITS} bits")
    return path


def _is_weak(certificate: x509.Certificate) -> bool:
    key = certificate.public_key()
    return isinstance(key, rsa.RSAPublicKey) and key.key_size < MIN_RSA_BITS


def _signs_certificates(
    _policy: Policy, _certificate: x509.Certificate, usage: x509.KeyUsage
) -> None:
    if not usage.key_cert_sign:
        raise ValueError("an authority's key may not sign certificates")


def _signs_data(
    _policy: Policy, _certificate: x509.Certificate, usage: x509.KeyUsage | None
) -> None:
    if usage is not None and not usage.digital_signature:
        raise ValueError("the leaf's key may not sign data")


def _is_no_authority(
    _policy: Policy, _certificate: x509.Certificate, constraints: x509.BasicConstraints | None
) -> None:
    if constraints is not None and constraints.ca:
        raise ValueError("the leaf is a certification authority")


_AUTHORITY = (
    ExtensionPolicy.permit_all()
    .require_present(x509.BasicConstraints, Criticality.AGNOSTIC, None)
    .require_present(x509.KeyUsage, Criticality.AGNOSTIC, _signs_certificates)
)


def _leaf_policy(purpose: x509.ObjectIdentifier | None) -> ExtensionPolicy:
    policy = (
        ExtensionPolicy.permit_all()
        .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _signs_data)
        .may_be_present(x509.BasicConstraints, Criticality.AGNOSTIC, _is_no_authority)
    )
    if purpose is None:
        return policy

    def is_for(
        _policy: Policy, _certificate: x509.Certificate, usage: x509.ExtendedKeyUsage
    ) -> None:
        if purpose not in usage:
            raise ValueError(f"the leaf is not for {purpose.dotted_string}")

    return policy.require_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, is_for)


def _reason(error: Exception) -> str:
    """The library's message without the structures that it prints."""
    return str(error).removeprefix("validation failed: ").partition(": AlgorithmIdentifier")[0]
