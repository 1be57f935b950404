"""AMD's certificate chain: VCEK or VLEK, ASK or ASVK, ARK.

Source: AMD publication 57230, "VCEK Certificate and KDS Interface
Specification", sections on the certificate chain and on revocation.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.endorsements import amd
from wasmtime_attestation.endorsements import x509 as certs
from wasmtime_attestation.endorsements.amd import VersionedKey
from wasmtime_attestation.endorsements.anchors import Anchor, Anchors
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.verifier import revocation
from wasmtime_attestation.verifier.revocation import Issuer

CHECKS = ("amd.vek", "amd.ask", "amd.ark", "amd.validity", "amd.revocation")


@dataclass(frozen=True, slots=True)
class AmdChain:
    """A verified chain.

    Attributes:
        anchor: the root that it ends at.
        revocation_checked: whether a revocation list of that root was checked.
    """

    anchor: Anchor
    revocation_checked: bool


def verify(
    signer: VersionedKey,
    endorsements: Endorsements,
    *,
    at: datetime,
    anchors: Anchors,
    ledger: Ledger,
) -> AmdChain:
    """Verifies the chain from a VCEK or VLEK to a root.

    Raises:
        RejectedError: a link, the root, a validity or a revocation check failed.
        UnavailableError: a certificate of the chain is missing.
    """
    ask = _find_ask(signer, endorsements, at, ledger)
    ark = _find_ark(ask, endorsements, at, ledger)
    anchor = _check_ark(ark, anchors, ledger)
    _check_validity((signer.certificate, ask, ark), at, ledger)
    checked = _check_revocation(ask, ark, endorsements, at, ledger)
    return AmdChain(anchor, checked)


def _find_ask(
    signer: VersionedKey, endorsements: Endorsements, at: datetime, ledger: Ledger
) -> x509.Certificate:
    ask = _issuer_of("amd.vek", signer.certificate, endorsements, at, ledger)
    name = certs.common_name(ask.subject)
    ledger.passed("amd.vek", f"{signer.kind.name} is signed by {name}")
    return ask


def _find_ark(
    ask: x509.Certificate, endorsements: Endorsements, at: datetime, ledger: Ledger
) -> x509.Certificate:
    ark = _issuer_of("amd.ask", ask, endorsements, at, ledger)
    if not certs.is_authority(ask):
        ledger.reject("amd.ask", f"{certs.common_name(ask.subject)} is no certification authority")
    ledger.passed("amd.ask", f"{certs.common_name(ask.subject)} is signed by "
                             f"{certs.common_name(ark.subject)}")  # fmt: skip
    return ark


def _issuer_of(
    check: str,
    certificate: x509.Certificate,
    endorsements: Endorsements,
    at: datetime,
    ledger: Ledger,
) -> x509.Certificate:
    """Finds the certificate whose key made a signature, of several one that is valid.

    A wrong one is worse than none: the first is rejected, the second unavailable.
    """
    child = certs.common_name(certificate.subject)
    parent = certs.common_name(certificate.issuer)
    authorities = [c for c in endorsements.certificates if not amd.is_versioned_key(c)]
    issuers = [c for c in authorities if certs.is_issued_by(certificate, c)]
    if issuers:
        return min(issuers, key=lambda issuer: certs.invalid_at([issuer], at) is not None)
    # Only a root can stand where a root is missing, and an ASK or ASVK where that is missing.
    of_a_root = not amd.is_versioned_key(certificate)
    others = [c for c in authorities if (c.issuer == c.subject) is of_a_root]
    if not others:
        ledger.unavailable(
            check, f"{parent}, which signs {child}, is missing; give it with --endorsements"
        )
    given = ", ".join(sorted({certs.common_name(c.subject) or "unnamed" for c in others}))
    ledger.reject(check, f"{child} must be signed by {parent}, and none of {given} signed it")


def _check_ark(ark: x509.Certificate, anchors: Anchors, ledger: Ledger) -> Anchor:
    name = certs.common_name(ark.subject)
    if not certs.is_authority(ark, below=1) or not certs.is_issued_by(ark, ark):
        ledger.reject("amd.ark", f"{name} is no self-signed certification authority")
    fingerprint = certs.spki_sha256(ark)
    anchor = anchors.find(fingerprint)
    if anchor is None:
        ledger.reject(
            "amd.ark",
            f"the chain ends at {name} (SPKI SHA-256 {fingerprint.hex()}), which is no root of "
            "AMD's and was not given as trusted",
        )
    ledger.passed("amd.ark", f"{anchor.name}{', SIMULATED' if anchor.simulated else ''}")
    return anchor


def _check_validity(chain: tuple[x509.Certificate, ...], at: datetime, ledger: Ledger) -> None:
    fault = certs.invalid_at(chain, at)
    if fault is not None:
        ledger.reject("amd.validity", f"at {at.isoformat()}, {fault}")
    begins = max(certificate.not_valid_before_utc for certificate in chain)
    ends = min(certificate.not_valid_after_utc for certificate in chain)
    ledger.passed("amd.validity", f"all valid from {begins.isoformat()} to {ends.isoformat()}")


def _check_revocation(
    ask: x509.Certificate,
    ark: x509.Certificate,
    endorsements: Endorsements,
    at: datetime,
    ledger: Ledger,
) -> bool:
    """AMD revokes ASKs and ASVKs; every VCEK and VLEK has serial 0, so none can be named."""
    check = "amd.revocation"
    lists = [crl for crl in endorsements.crls if crl.issuer == ark.subject]
    if not lists:
        others = sorted({certs.common_name(crl.issuer) or "unnamed" for crl in endorsements.crls})
        given = f"; what was given is of {', '.join(others)}" if others else ""
        name = certs.common_name(ark.subject)
        ledger.not_checked(check, f"no revocation list of {name} was given{given}")
        return False
    issuer = Issuer(ark, role="ARK", vendor="AMD")
    revocation.check(check, lists, issuer, [ask], at=at, ledger=ledger)
    return True
