"""Who signed a SEV-SNP report: the VCEK or VLEK, found among the endorsements."""

from __future__ import annotations

from datetime import datetime

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
from wasmtime_attestation.memo import Memo, recall

_ECDSA = ec.ECDSA(SHA384())


def select(
    report: SnpReport,
    endorsements: Endorsements,
    *,
    at: datetime,
    ledger: Ledger,
    memo: Memo | None = None,
) -> VersionedKey:
    """Finds the VCEK or VLEK for a report and checks that it is of the right kind.

    Where several are given, the one that made the signature is taken; if none
    did, the one that fits best, so that the failure names what is wrong with it.
    """
    kind = report.keys.signer
    if kind is SignerKind.NONE or report.keys.chip_key_masked:
        ledger.reject("snp.signer", "the report is not signed: its host masks the chip key")
    signers, faults = recall(memo, _decode_all, endorsements, at=at, ledger=ledger)
    if not signers and not faults:
        ledger.unavailable(
            "snp.signer",
            f"the {kind.name} that signed the report is missing; give it with --endorsements",
        )
    of_kind = [signer for signer in signers if signer.kind is kind]
    if not of_kind:
        others = [f"a {signer.kind.name} was given" for signer in signers]
        given = "; ".join((*faults, *others))
        ledger.reject("snp.signer", f"the report is signed by a {kind.name}: {given}")
    signer = _best(of_kind, report, at)
    ledger.passed("snp.signer", f"{signer.kind.name} for {signer.product_name}")
    return signer


def signed(signer: VersionedKey, report: SnpReport) -> bool:
    """Whether a key made the signature of a report."""
    signature = encode_dss_signature(report.signature_r, report.signature_s)
    try:
        signer.key.verify(signature, report.signed_bytes, _ECDSA)
    except InvalidSignature:
        return False
    return True


def _decode_all(
    endorsements: Endorsements, at: datetime, ledger: Ledger
) -> tuple[tuple[VersionedKey, ...], tuple[str, ...]]:
    """Decodes every VCEK and VLEK; returns also what is wrong with those that are none."""
    del at, ledger
    signers, faults = [], []
    for certificate in filter(amd.is_versioned_key, endorsements.certificates):
        try:
            signers.append(amd.decode(certificate))
        except ValueError as error:
            faults.append(f"a certificate cannot be used: {error}")
    return tuple(signers), tuple(faults)


def _best(signers: list[VersionedKey], report: SnpReport, at: datetime) -> VersionedKey:
    """Of two certificates for one key (a renewal, say), the one that fits is taken."""
    if len(signers) == 1:
        return signers[0]
    ranked = sorted(signers, key=lambda signer: _fitness(signer, report, at), reverse=True)
    return next((signer for signer in ranked if signed(signer, report)), ranked[0])


def _fitness(signer: VersionedKey, report: SnpReport, at: datetime) -> tuple[bool, ...]:
    chip = signer.hwid is None or report.chip_id.startswith(signer.hwid)
    valid = certs.invalid_at([signer.certificate], at) is None
    return chip, signer.tcb == report.reported_tcb, valid
