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
from wasmtime_attestation.evidence.snp import SnpReport
from wasmtime_attestation.evidence.snp_fields import SignerKind

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


def select_signer(
    report: SnpReport, endorsements: Endorsements, *, at: datetime, ledger: Ledger
) -> VersionedKey:
    """Finds the VCEK or VLEK for a report and checks that it is of the right kind.

    Where several are given, the one for the report's TCB version and chip is
    taken, and of several of these one that is valid; whether it really signed
    the report is checked later.
    """
    kind = report.keys.signer
    if kind is SignerKind.NONE or report.keys.chip_key_masked:
        ledger.reject("snp.signer", "the report is not signed: its host masks the chip key")
    candidates = [c for c in endorsements.certificates if amd.is_versioned_key(c)]
    if not candidates:
        ledger.unavailable(
            "snp.signer",
            f"the {kind.name} that signed the report is missing; give it with --endorsements",
        )
    signers, faults = _decode_all(candidates)
    of_kind = [signer for signer in signers if signer.kind is kind]
    if not of_kind:
        faults += [f"a {signer.kind.name} was given" for signer in signers]
        ledger.reject("snp.signer", f"the report is signed by a {kind.name}: {'; '.join(faults)}")
    signer = max(of_kind, key=lambda candidate: _agreement(candidate, report, at))
    ledger.passed("snp.signer", f"{signer.kind.name} for {signer.product_name}")
    return signer


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
    ask = _find_ask(signer, endorsements, ledger)
    ark = _find_ark(ask, endorsements, ledger)
    anchor = _check_ark(ark, anchors, ledger)
    _check_validity((signer.certificate, ask, ark), at, ledger)
    checked = _check_revocation(ask, ark, endorsements, at, ledger)
    return AmdChain(anchor, checked)


def _decode_all(candidates: list[x509.Certificate]) -> tuple[list[VersionedKey], list[str]]:
    signers, faults = [], []
    for certificate in candidates:
        try:
            signers.append(amd.decode(certificate))
        except ValueError as error:
            faults.append(f"a certificate cannot be used: {error}")
    return signers, faults


def _agreement(signer: VersionedKey, report: SnpReport, at: datetime) -> tuple[bool, bool, bool]:
    chip = signer.hwid is None or report.chip_id.startswith(signer.hwid)
    valid = certs.invalid_at([signer.certificate], at) is None
    return chip, signer.tcb == report.reported_tcb, valid


def _find_ask(signer: VersionedKey, endorsements: Endorsements, ledger: Ledger) -> x509.Certificate:
    ask = _issuer_of("amd.vek", signer.certificate, endorsements, ledger)
    name = certs.common_name(ask.subject)
    ledger.passed("amd.vek", f"{signer.kind.name} is signed by {name}")
    return ask


def _find_ark(
    ask: x509.Certificate, endorsements: Endorsements, ledger: Ledger
) -> x509.Certificate:
    ark = _issuer_of("amd.ask", ask, endorsements, ledger)
    if not certs.is_authority(ask):
        ledger.reject("amd.ask", f"{certs.common_name(ask.subject)} is no certification authority")
    ledger.passed("amd.ask", f"{certs.common_name(ask.subject)} is signed by "
                             f"{certs.common_name(ark.subject)}")  # fmt: skip
    return ark


def _issuer_of(
    check: str, certificate: x509.Certificate, endorsements: Endorsements, ledger: Ledger
) -> x509.Certificate:
    """Finds the certificate whose key made a signature; a wrong one is worse than none."""
    child = certs.common_name(certificate.subject)
    parent = certs.common_name(certificate.issuer)
    authorities = [c for c in endorsements.certificates if not amd.is_versioned_key(c)]
    for candidate in authorities:
        if certs.is_issued_by(certificate, candidate):
            return candidate
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
    if not certs.is_authority(ark) or not certs.is_issued_by(ark, ark):
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
    ends = min(certificate.not_valid_after_utc for certificate in chain)
    ledger.passed("amd.validity", f"all valid at {at.isoformat()}, until {ends.isoformat()}")


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
        ledger.not_checked(check, f"no revocation list of {certs.common_name(ark.subject)} given")
        return False
    for crl in lists:
        if not certs.is_signed_by(crl, ark):
            ledger.reject(check, "a revocation list is not signed by the ARK it names")
        critical = certs.unknown_critical_extension(crl)
        if critical is not None:
            # RFC 5280 section 5.2: such a list may be a part of the whole.
            ledger.reject(check, f"the revocation list has extension {critical}; give a whole one")
        if crl.next_update_utc is None or not crl.last_update_utc <= at <= crl.next_update_utc:
            ledger.reject(
                check,
                f"the revocation list is for {crl.last_update_utc} to {crl.next_update_utc}, "
                f"not for {at.isoformat()}; fetch a current one",
            )
        if crl.get_revoked_certificate_by_serial_number(ask.serial_number) is not None:
            ledger.reject(check, f"AMD revoked {certs.common_name(ask.subject)}")
    ledger.passed(check, f"{certs.common_name(ask.subject)} is not revoked")
    return True
