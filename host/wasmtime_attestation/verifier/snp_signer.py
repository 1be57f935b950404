"""Who signed a SEV-SNP report: the VCEK or VLEK, found among the endorsements."""

from __future__ import annotations

from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384

from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.endorsements import amd
from wasmtime_attestation.endorsements import x509 as certs
from wasmtime_attestation.endorsements.amd import VersionedKey
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.evidence.snp import SnpReport
from wasmtime_attestation.evidence.snp_fields import SignerKind


def select(
    report: SnpReport, endorsements: Endorsements, *, at: datetime, ledger: Ledger
) -> VersionedKey:
    """Finds the VCEK or VLEK for a report and checks that it is of the right kind.

    Where several are given, the one that made the signature is taken; if none
    did, the one that fits best, so that the failure names what is wrong with it.
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
    signer = max(of_kind, key=lambda candidate: _fitness(candidate, report, at))
    ledger.passed("snp.signer", f"{signer.kind.name} for {signer.product_name}")
    return signer


def signed(signer: VersionedKey, report: SnpReport) -> bool:
    """Whether a key made the signature of a report."""
    signature = encode_dss_signature(report.signature_r, report.signature_s)
    try:
        signer.key.verify(signature, report.signed_bytes, ec.ECDSA(SHA384()))
    except InvalidSignature:
        return False
    return True


def _decode_all(candidates: list[x509.Certificate]) -> tuple[list[VersionedKey], list[str]]:
    signers, faults = [], []
    for certificate in candidates:
        try:
            signers.append(amd.decode(certificate))
        except ValueError as error:
            faults.append(f"a certificate cannot be used: {error}")
    return signers, faults


def _fitness(signer: VersionedKey, report: SnpReport, at: datetime) -> tuple[bool, ...]:
    """Of two certificates for one key (a renewal, say), the one that fits is taken."""
    chip = signer.hwid is None or report.chip_id.startswith(signer.hwid)
    valid = certs.invalid_at([signer.certificate], at) is None
    return signed(signer, report), chip, signer.tcb == report.reported_tcb, valid
