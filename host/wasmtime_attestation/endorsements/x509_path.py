"""Certification paths (RFC 5280 section 6): from a certificate to a root that is trusted.

`verify_path` is for chains of any shape. Signatures, algorithms (no SHA-1), validity, path
lengths, name constraints and the search are `cryptography`'s, whose authors hold them against
x509-limbo; the rules on extensions are RFC 5280's profile (section 4.2) and stand in
`x509_profile`. AMD's and Intel's chains have a fixed form and are walked by
`verifier.amd_chain` and `verifier.intel_chain` (AMD's keys have the serial number 0 and
no extensions of the profile, which no such verifier takes).

Accepted: version 3, RSA from 2048 bits and ECDSA on P-256, P-384 and P-521, SHA-256 to SHA-512,
at most `MAX_INTERMEDIATES` authorities below the root, at most `MAX_CERTIFICATES` to search.
Self-issued authorities count for path lengths like others, which is stricter than section 6.1.4.
Rejected, because nobody here processes them: certificate policies that are critical, policy
constraints, name constraints of names other than DNS names and IP addresses.
Revocation is another check (`verifier.revocation`, `verifier.ocsp`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from wasmtime_attestation.endorsements import x509 as certs
from wasmtime_attestation.endorsements import x509_profile

MAX_INTERMEDIATES = 8
"""Certificates between the leaf and the root; vendors' chains have one to three."""
MAX_CERTIFICATES = 64
"""Certificates that a path is looked for among."""
_FAILURES: tuple[type[Exception], ...] = (VerificationError, *certs.UNREADABLE)


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
        extended_key_usage: the purpose that the leaf must be for, by its own extension, and
            that no authority on the path may exclude; None for any.
        max_intermediates: how many may stand between leaf and root, at most `MAX_INTERMEDIATES`.

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
        .max_chain_depth(min(max_intermediates, MAX_INTERMEDIATES))
        .extension_policies(
            ca_policy=x509_profile.authority(extended_key_usage),
            ee_policy=x509_profile.leaf(extended_key_usage),
        )
    )
    try:
        path = tuple(builder.build_client_verifier().verify(leaf, [*intermediates]).chain)
    except _FAILURES as error:
        raise ValueError(_reason(error)) from error
    for certificate in path:
        _check_form(certificate)
    return path


def _check_form(certificate: x509.Certificate) -> None:
    """What the library leaves to others: weak keys, and serial numbers that name nothing."""
    if not certs.has_strong_key(certificate):
        raise ValueError(f"a key on the path is of another kind than {certs.STRONG_KEYS}")
    if certificate.serial_number <= 0:
        raise ValueError("a certificate on the path has no positive serial number")
    if not certificate.subject.rdns and not _has_names(certificate):
        raise ValueError("a certificate on the path has no name")


def _has_names(certificate: x509.Certificate) -> bool:
    """RFC 5280 section 4.1.2.6: without a subject, the alternative names are all, and critical."""
    return any(
        extension.critical and isinstance(extension.value, x509.SubjectAlternativeName)
        for extension in certificate.extensions
    )


def _reason(error: Exception) -> str:
    """The library's message without the structures that it prints."""
    return str(error).removeprefix("validation failed: ").partition(": AlgorithmIdentifier")[0]
