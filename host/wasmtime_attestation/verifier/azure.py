"""Azure confidential VMs: from the vTPM's quote through the paravisor to the hardware's root.

The hardware vouches for the paravisor and for the digest of what the paravisor states; in it is
the key that signs the vTPM's quotes. What the paravisor states counts as far as its own
measurement (MEASUREMENT, MRTD) is known to the relying party.

Source: Microsoft, "Azure confidential VMs guest attestation design".
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.claims import Claims
from wasmtime_attestation.claims.azure import AzureClaims, TpmClaims
from wasmtime_attestation.claims.snp import SnpClaims
from wasmtime_attestation.claims.tdx import TdxClaims
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.errors import RejectedError
from wasmtime_attestation.evidence import azure, hcl, td_report
from wasmtime_attestation.evidence.azure import AzureEvidence
from wasmtime_attestation.evidence.hcl import HashType, HclReport, ReportType
from wasmtime_attestation.evidence.tdx_fields import TdReport
from wasmtime_attestation.memo import Memo
from wasmtime_attestation.verifier import snp, tdx, tpm
from wasmtime_attestation.verifier.binding import check_report_data

_BINDING = "evidence.binding"
_BEFORE = ("azure.format", "azure.runtime-claims", *tpm.CHECKS, _BINDING)
_REPORT_DATA = {ReportType.SNP: slice(0x50, 0x90), ReportType.TDX: slice(128, 192)}
_HASHES: Mapping[HashType, Callable[[bytes], hashlib._Hash]] = {
    HashType.SHA256: hashlib.sha256,
    HashType.SHA384: hashlib.sha384,
    HashType.SHA512: hashlib.sha512,
}
_USER_DATA_SIZE = 64


def verify(
    data: bytes,
    endorsements: Endorsements,
    *,
    kind: ReportType,
    report_data: bytes | None,
    nonce: bytes | None,
    at: datetime,
    anchors: Anchors,
    ledger: Ledger,
    memo: Memo | None = None,
) -> Claims:
    """Verifies the evidence of an Azure confidential VM.

    Args:
        data: its canonical form (`evidence.azure`).
        endorsements: those of the hardware: VCEK and chain, or Intel's collateral.
        kind: the hardware that the evidence is said to be of.
        report_data: what `user-data` in the runtime claims must be, 64 bytes; None to report
            it as not checked.
        nonce: what the vTPM's quote must carry; None to report it as not checked.
        at: the instant at which the hardware's endorsements must be valid.
        anchors: the roots to trust.
        ledger: records each check.
        memo: remembers what was verified before of the same hardware; it only saves time.

    Raises:
        RejectedError: a check failed.
        UnavailableError: an endorsement of the hardware is missing.
    """
    ledger.plan(_BEFORE)
    evidence, report = _decode(data, kind, ledger)
    ledger.plan(_below(report.type))
    hashed = _check_runtime_claims(report, ledger)
    quoted = _verify_quote(evidence, report, nonce, ledger)
    _check_user_data(report, report_data, ledger)
    claims = _verify_hardware(evidence, report, endorsements, hashed, at, anchors, ledger, memo)
    hardware = claims.details
    if isinstance(hardware, SnpClaims):
        _check_paravisor(hardware, ledger)
    elif isinstance(hardware, TdxClaims):
        _check_td_report(report, hardware.report, ledger)
    else:
        raise TypeError("a hardware report is one of SEV-SNP or TDX")
    return replace(
        claims, report_data=_user_data(report), details=_claims(report, hardware, quoted)
    )


def _below(kind: ReportType) -> tuple[str, ...]:
    checks = snp.CHECKS if kind is ReportType.SNP else tdx.CHECKS
    own = "azure.paravisor" if kind is ReportType.SNP else "azure.td-report"
    return (*(check for check in checks if check != _BINDING), own)


def _decode(data: bytes, kind: ReportType, ledger: Ledger) -> tuple[AzureEvidence, HclReport]:
    try:
        evidence = azure.decode(data)
        report = hcl.decode(evidence.hcl_report)
    except RejectedError as error:
        ledger.record(error.findings[0])
        raise
    if report.type is not kind:
        ledger.reject(
            "azure.format", f"the report is of {_name(report.type)}, not of {_name(kind)}"
        )
    if report.type is ReportType.SNP and evidence.td_quote is not None:
        ledger.reject("azure.format", "there is a TD quote beside a report of SEV-SNP")
    ledger.passed(
        "azure.format",
        f"HCL report version {report.version} over a {_name(report.type)} report",
    )
    return evidence, report


def _name(kind: ReportType) -> str:
    return "SEV-SNP" if kind is ReportType.SNP else "TDX"


def _check_runtime_claims(report: HclReport, ledger: Ledger) -> bytes:
    """Returns what the hardware report's report data must be."""
    check = "azure.runtime-claims"
    digest = _HASHES[report.hash_type](report.claims_text).digest()
    expected = digest.ljust(64, b"\0")
    actual = report.hardware_report[_REPORT_DATA[report.type]]
    if not hmac.compare_digest(actual, expected):
        ledger.reject(
            check,
            f"the hardware report holds {actual.hex()}; the digest of the runtime claims is "
            f"{digest.hex()}: they were altered, or are another report's",
        )
    ledger.passed(check, f"{report.hash_type.name} of {len(report.claims_text)} bytes")
    return expected


def _verify_quote(
    evidence: AzureEvidence, report: HclReport, nonce: bytes | None, ledger: Ledger
) -> TpmClaims | None:
    if evidence.tpm_quote is not None:
        key = report.claims.attestation_key
        return tpm.verify(evidence.tpm_quote, key, nonce=nonce, ledger=ledger)
    if nonce is not None:
        ledger.reject("tpm.nonce", "there is no quote of the vTPM that could answer the nonce")
    for check in tpm.CHECKS:
        ledger.not_checked(check, "there is no TPM quote: freshness and PCRs are open")
    return None


def _check_user_data(report: HclReport, expected: bytes | None, ledger: Ledger) -> None:
    if expected is not None and report.claims.user_data is None:
        ledger.reject(_BINDING, "the runtime claims have no user-data, which must be bound")
    check_report_data(_user_data(report), expected, ledger, name="user-data")


def _user_data(report: HclReport) -> bytes:
    """The paravisor fills user data up with zeros to the size of REPORT_DATA."""
    return (report.claims.user_data or b"").ljust(_USER_DATA_SIZE, b"\0")


def _verify_hardware(
    evidence: AzureEvidence,
    report: HclReport,
    endorsements: Endorsements,
    hashed: bytes,
    at: datetime,
    anchors: Anchors,
    ledger: Ledger,
    memo: Memo | None,
) -> Claims:
    """Verifies what is below, and that it too holds the digest of the runtime claims."""
    below = Ledger()
    platform, data = snp.verify, report.hardware_report
    if report.type is ReportType.TDX:
        if evidence.td_quote is None:
            ledger.unavailable(
                "tdx.format",
                "the report holds a TDREPORT, whose MAC only its own machine can verify; the TD "
                "quote of it is missing: ask Azure's service on the machine for it",
            )
        platform, data = tdx.verify, evidence.td_quote
    try:
        return platform(
            data, endorsements, report_data=hashed, at=at, anchors=anchors, ledger=below, memo=memo
        )
    except RejectedError as error:
        if error.findings[0].check == _BINDING:
            # The report's own was compared before, so it is the quote that is of another.
            ledger.reject("azure.td-report", f"of the TD quote: {error.findings[0].detail}")
        raise
    finally:
        ledger.adopt({id_: found for id_, found in below.settled.items() if id_ != _BINDING})


def _check_paravisor(hardware: SnpClaims, ledger: Ledger) -> None:
    vmpl = hardware.report.vmpl
    if vmpl != 0:
        ledger.reject(
            "azure.paravisor",
            f"the report was asked for at VMPL {vmpl}: the guest made it, not the paravisor, and "
            "may have invented the runtime claims",
        )
    ledger.passed("azure.paravisor", "asked for at VMPL 0")


def _check_td_report(report: HclReport, quoted: TdReport, ledger: Ledger) -> None:
    check = "azure.td-report"
    try:
        local = td_report.decode(report.hardware_report)
    except RejectedError as error:
        ledger.record(error.findings[0])
        raise
    for name in td_report.QUOTED:
        actual, expected = getattr(local, name), getattr(quoted, name)
        if name == "td_attributes":
            expected = quoted.td_attributes.raw
        if expected is not None and not hmac.compare_digest(actual, expected):
            ledger.reject(
                check,
                f"{name.upper()} is {actual.hex()} in the TDREPORT and {expected.hex()} in the "
                "TD quote: they are of two TDs, or of two moments",
            )
    ledger.passed(check, "the TD quote says the same; MAC and CPUSVN of the TDREPORT say nothing")


def _claims(
    report: HclReport, hardware: SnpClaims | TdxClaims, quoted: TpmClaims | None
) -> AzureClaims:
    return AzureClaims(
        hardware=hardware,
        user_data=report.claims.user_data,
        vm_configuration=report.claims.vm_configuration,
        tpm=quoted,
    )
