"""A summary of evidence for guests: what it says, without its bytes, and unverified."""

from __future__ import annotations

import hashlib
import json

from wasmtime_attestation.claims.form import to_json
from wasmtime_attestation.evidence import azure, hcl, nvidia, snp, tdx
from wasmtime_attestation.evidence.envelope import Evidence, EvidenceType
from wasmtime_attestation.evidence.strict_json import Json

MAX_SIZE = 4096
"""Bytes in a summary."""


def summarise(evidence: Evidence) -> str:
    """Returns a JSON summary of at most `MAX_SIZE` bytes."""
    members = {"type": evidence.type, **_members(evidence)}
    return json.dumps(members, separators=(",", ":"))


def _members(evidence: Evidence) -> dict[str, Json]:
    match evidence.type:
        case EvidenceType.AMD_SEV_SNP:
            return _snp(snp.decode(evidence.data))
        case EvidenceType.INTEL_TDX:
            return _tdx(tdx.decode(evidence.data))
        case EvidenceType.NVIDIA_GPU | EvidenceType.NVIDIA_SWITCH:
            return _nvidia(nvidia.decode(evidence.data))
        case EvidenceType.AZURE_SNP | EvidenceType.AZURE_TDX:
            return _azure(hcl.decode(azure.decode(evidence.data).hcl_report))


def _azure(report: hcl.HclReport) -> dict[str, Json]:
    return {
        "version": report.version,
        "hardware": report.type.name.lower(),
        "runtime_claims": hashlib.sha256(report.claims_text).hexdigest(),
        "user_data": to_json(report.claims.user_data),
    }


def _snp(report: snp.SnpReport) -> dict[str, Json]:
    return {
        "version": report.version,
        "measurement": report.measurement.hex(),
        "report_data": report.report_data.hex(),
        "host_data": report.host_data.hex(),
        "chip_id": report.chip_id.hex(),
        "vmpl": report.vmpl,
        "guest_svn": report.guest_svn,
        "policy": to_json(report.policy),
        "reported_tcb": to_json(report.reported_tcb),
    }


def _tdx(quote: tdx.TdxQuote) -> dict[str, Json]:
    report = quote.report
    return {
        "version": quote.version,
        "mrtd": report.mrtd.hex(),
        "rtmrs": [r.hex() for r in (report.rtmr0, report.rtmr1, report.rtmr2, report.rtmr3)],
        "report_data": report.report_data.hex(),
        "mrconfigid": report.mrconfigid.hex(),
        "mrowner": report.mrowner.hex(),
        "mrownerconfig": report.mrownerconfig.hex(),
        "td_attributes": report.td_attributes.raw.hex(),
        "xfam": report.xfam.hex(),
        "tee_tcb_svn": report.tee_tcb_svn.hex(),
    }


def _nvidia(report: nvidia.NvidiaReport) -> dict[str, Json]:
    return {
        "nonce": report.signed.nonce.hex(),
        "driver_version": report.driver_version,
        "vbios_version": report.vbios_version,
        "project": report.project,
        "project_sku": report.project_sku,
        "chip_sku": report.chip_sku,
        "mode": report.mode,
        "measurements": len(report.signed.measurements),
    }
