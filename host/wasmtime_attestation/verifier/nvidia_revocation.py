"""Whether NVIDIA revoked a certificate of a path: OCSP responses, or revocation lists.

Neither is fetched, and both are short-lived, so a path that they do not cover is reported as
not checked; a policy can require that it is (`require-revocation-check`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from cryptography import x509

from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.endorsements import x509 as certs
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.verifier import ocsp


def check(
    id_: str,
    paths: Sequence[Sequence[x509.Certificate]],
    endorsements: Endorsements,
    *,
    at: datetime,
    ledger: Ledger,
) -> bool:
    """Checks every certificate of some paths but the last of each, and returns whether all were.

    Args:
        id_: the check to settle.
        paths: verified; each certificate is signed by the next.
        endorsements: responses and lists, about any certificates.
        at: the instant at which they must be current.
        ledger: records the check.

    Raises:
        RejectedError: a certificate is revoked, or what is said of it is not authentic.
    """
    # Two manifests have most of their paths in common.
    links = dict.fromkeys(link for path in paths for link in pairwise(path))
    try:
        lacking = [
            what
            for certificate, issuer in links
            if (what := missing(certificate, issuer, endorsements, at)) is not None
        ]
    except ValueError as error:
        ledger.reject(id_, f"{error}; do not trust what it signs")
    if lacking:
        ledger.not_checked(id_, f"missing: {'; '.join(lacking)}")
        return False
    ledger.passed(id_, f"none of {len(links)} certificates is revoked")
    return True


def missing(
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    endorsements: Endorsements,
    at: datetime,
) -> str | None:
    """Returns None if a response or a list covers a certificate; both count against it."""
    on_list = _is_covered_by_list(certificate, issuer, endorsements.crls, at)
    lacking = ocsp.missing(certificate, issuer, endorsements.ocsp, at)
    return None if on_list else lacking


def _is_covered_by_list(
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    lists: Sequence[x509.CertificateRevocationList],
    at: datetime,
) -> bool:
    """Whether a current list of the issuer's leaves a certificate out."""
    own = [crl for crl in lists if crl.issuer == issuer.subject]
    name = certs.common_name(certificate.subject)
    for crl in own:
        if not certs.is_signed_by(crl, issuer) or certs.unknown_critical_extension(crl):
            raise ValueError(f"a revocation list that is to cover {name} is not its issuer's")
        if crl.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None:
            raise ValueError(f"{name} is revoked")
    return any(certs.is_current(crl, at) for crl in own)
