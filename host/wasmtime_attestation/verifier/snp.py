"""SEV-SNP: from a report to a root of AMD, one check after the other.

Source: AMD publications 56860 (firmware ABI) and 57230 (VCEK and KDS).
"""

from __future__ import annotations

import hmac
from datetime import datetime

from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.claims import Claims
from wasmtime_attestation.claims.snp import SnpClaims
from wasmtime_attestation.endorsements.amd import VersionedKey
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.errors import RejectedError
from wasmtime_attestation.evidence import snp
from wasmtime_attestation.evidence.snp_fields import ProductLine
from wasmtime_attestation.memo import Memo, recall
from wasmtime_attestation.verifier import amd_chain, snp_signer
from wasmtime_attestation.verifier.amd_chain import AmdChain
from wasmtime_attestation.verifier.binding import check_report_data
from wasmtime_attestation.wit import TeeType

CHECKS = (
    "snp.format",
    "snp.signer",
    *amd_chain.CHECKS,
    "snp.signature",
    "snp.product",
    "snp.tcb",
    "snp.chip-id",
    "evidence.binding",
)


def verify(
    data: bytes,
    endorsements: Endorsements,
    *,
    report_data: bytes | None,
    at: datetime,
    anchors: Anchors,
    ledger: Ledger,
    memo: Memo | None = None,
) -> Claims:
    """Verifies a SEV-SNP report.

    Args:
        data: the report.
        endorsements: VCEK or VLEK, its chain, and revocation lists, in any order.
        report_data: what REPORT_DATA must be, 64 bytes; None to report it as not checked.
        at: the instant at which certificates and lists must be valid.
        anchors: the roots to trust.
        ledger: records each check.
        memo: remembers what was verified before of the same chain; it only saves time.

    Raises:
        RejectedError: a check failed.
        UnavailableError: an endorsement is missing.
    """
    ledger.plan(CHECKS)
    report = _decode(data, ledger)
    signer = snp_signer.select(report, endorsements, at=at, ledger=ledger, memo=memo)
    chain = recall(memo, _verify_chain, signer, endorsements, anchors, at=at, ledger=ledger)
    _check_signature(report, signer, ledger)
    line = _check_product(report, signer, chain, ledger)
    _check_tcb(report, signer, ledger)
    _check_chip_id(report, signer, line, ledger)
    check_report_data(report.report_data, report_data, ledger)
    entries = tuple(map(str, endorsements.host_entries))
    return _claims(report, signer, chain, line, entries)


def _verify_chain(
    signer: VersionedKey,
    endorsements: Endorsements,
    anchors: Anchors,
    at: datetime,
    ledger: Ledger,
) -> AmdChain:
    """Verifies who vouches for the signer; the same for all reports that it signs."""
    return amd_chain.verify(signer, endorsements, at=at, anchors=anchors, ledger=ledger)


def _decode(data: bytes, ledger: Ledger) -> snp.SnpReport:
    try:
        report = snp.decode(data)
    except RejectedError as error:
        ledger.record(error.findings[0])
        raise
    ledger.passed("snp.format", f"ATTESTATION_REPORT version {report.version}")
    return report


def _check_signature(report: snp.SnpReport, signer: VersionedKey, ledger: Ledger) -> None:
    if not snp_signer.signed(signer, report):
        ledger.reject(
            "snp.signature",
            f"the {signer.kind.name} did not sign this report: it was altered, or it is of "
            "another chip or TCB version; fetch the certificate that belongs to it",
        )
    ledger.passed("snp.signature", f"ECDSA P-384 by the {signer.kind.name}")


def _check_product(
    report: snp.SnpReport, signer: VersionedKey, chain: AmdChain, ledger: Ledger
) -> ProductLine:
    """Version 2 has no CPUID: there the certificate and the root decide."""
    line = signer.product_line
    if chain.anchor.product_line not in (None, line):
        ledger.reject("snp.product", f"the certificate is for {line}, its root {chain.anchor.name}")
    cpuid = report.cpuid
    if cpuid is None and line is ProductLine.TURIN:
        ledger.reject("snp.product", "report version 2 does not exist on Turin")
    if cpuid is not None and cpuid.product_line is not line:
        ledger.reject(
            "snp.product",
            f"the report is from a processor of family 0x{cpuid.family:x} and model "
            f"0x{cpuid.model:x} ({cpuid.product_line or 'unknown'}), the certificate for {line}",
        )
    ledger.passed("snp.product", signer.product_name)
    return line


def _check_tcb(report: snp.SnpReport, signer: VersionedKey, ledger: Ledger) -> None:
    if signer.tcb != report.reported_tcb:
        ledger.reject(
            "snp.tcb",
            f"the certificate is for {signer.tcb}, the report says {report.reported_tcb}; "
            "fetch the certificate for the reported TCB version",
        )
    ledger.passed("snp.tcb", f"{report.reported_tcb}")


def _check_chip_id(
    report: snp.SnpReport, signer: VersionedKey, line: ProductLine, ledger: Ledger
) -> None:
    if signer.hwid is None:
        ledger.not_checked("snp.chip-id", "a VLEK belongs to a cloud provider, not to a chip")
        return
    if line is not ProductLine.TURIN and len(signer.hwid) != len(report.chip_id):
        ledger.reject("snp.chip-id", f"the hardware id has {len(signer.hwid)} bytes, not 64")
    # Turin's id has 8 bytes; CHIP_ID holds it in front of zeros.
    if not hmac.compare_digest(signer.hwid.ljust(len(report.chip_id), b"\0"), report.chip_id):
        masked = "" if any(report.chip_id) else " (all zero: its host masks the chip id)"
        ledger.reject(
            "snp.chip-id",
            f"the VCEK is of chip {signer.hwid.hex()}, "
            f"the report of {report.chip_id.hex()}{masked}",
        )
    ledger.passed("snp.chip-id", signer.hwid.hex())


def _claims(
    report: snp.SnpReport,
    signer: VersionedKey,
    chain: AmdChain,
    line: ProductLine,
    entries: tuple[str, ...],
) -> Claims:
    return Claims(
        platform=TeeType.AMD_SEV_SNP,
        anchor=chain.anchor.name,
        simulated=chain.anchor.simulated,
        report_data=report.report_data,
        debug=report.policy.debug_allowed,
        details=SnpClaims(
            report=report,
            product_line=line,
            product_name=signer.product_name,
            csp_id=signer.csp_id,
            key_expires=signer.certificate.not_valid_after_utc,
            revocation_checked=chain.revocation_checked,
            host_entries=entries,
        ),
    )
