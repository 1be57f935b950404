"""Certificate revocation lists (RFC 5280 section 5): authentic, current, and without the subject.

A list that is no good is no list: it is rejected rather than left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.endorsements import x509 as certs


@dataclass(frozen=True, slots=True)
class Issuer:
    """Whose lists are checked.

    Attributes:
        certificate: what signs them.
        role: what messages call it, such as `ARK`.
        vendor: who revokes.
    """

    certificate: x509.Certificate
    role: str
    vendor: str


def check(
    id_: str,
    lists: Sequence[x509.CertificateRevocationList],
    issuer: Issuer,
    subjects: Sequence[x509.Certificate],
    *,
    at: datetime,
    ledger: Ledger,
) -> None:
    """Checks that no list names a subject and that one list is current.

    Args:
        id_: the check to settle.
        lists: every list that names the issuer, at least one.
        issuer: who must have signed them.
        subjects: the certificates that must not be revoked.
        at: the instant at which a list must be current.
        ledger: records the check.

    Raises:
        RejectedError: a subject is revoked, a list is not authentic, or none is current.
    """
    for crl in lists:
        _check_list(id_, crl, issuer, subjects, ledger)
    current = [crl for crl in lists if certs.is_current(crl, at)]
    if not current:
        dates = ", ".join(f"{crl.last_update_utc} to {crl.next_update_utc}" for crl in lists)
        ledger.reject(
            id_,
            f"no revocation list is for {at.isoformat()}: given are {dates}; fetch a current one",
        )
    newest = max(crl.last_update_utc for crl in current)
    names = " and ".join(certs.common_name(subject.subject) for subject in subjects)
    ledger.passed(id_, f"{names} is not revoked in the list of {newest.isoformat()}")


def _check_list(
    id_: str,
    crl: x509.CertificateRevocationList,
    issuer: Issuer,
    subjects: Sequence[x509.Certificate],
    ledger: Ledger,
) -> None:
    """Every list that is authentic counts against the subjects, an outdated one too."""
    if not certs.is_signed_by(crl, issuer.certificate):
        ledger.reject(id_, f"a revocation list is not signed by the {issuer.role} it names")
    partial = certs.unknown_critical_extension(crl) or _partial(crl)
    if partial is not None:
        # RFC 5280 section 5.2: such a list may be a part of the whole.
        ledger.reject(id_, f"the revocation list has extension {partial}; give a whole one")
    for subject in subjects:
        if crl.get_revoked_certificate_by_serial_number(subject.serial_number) is not None:
            ledger.reject(id_, f"{issuer.vendor} revoked {certs.common_name(subject.subject)}")


def _partial(crl: x509.CertificateRevocationList) -> str | None:
    """Names what makes a list one of changes, or of some certificates or reasons.

    Such extensions are critical (RFC 5280 sections 5.2.4 and 5.2.5); one that is not counts too.
    """
    for oid in (ExtensionOID.DELTA_CRL_INDICATOR, ExtensionOID.ISSUING_DISTRIBUTION_POINT):
        if any(extension.oid == oid for extension in crl.extensions):
            return oid.dotted_string
    return None
