"""Evidence in the JSON of Confidential Containers, which Trustee takes.

Source: confidential-containers/guest-components, `attester`: snp, tdx, az_snp_vtpm (version 1),
az_tdx_vtpm, nvidia; virtee/sev for the names in SEV-SNP reports (`evidence.snp_json`).
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence

from wasmtime_attestation.errors import UnavailableError, UnsupportedError
from wasmtime_attestation.evidence import snp, snp_json, tpm
from wasmtime_attestation.evidence.azure import AzureEvidence
from wasmtime_attestation.evidence.base64url import encode
from wasmtime_attestation.evidence.envelope import Evidence, EvidenceType
from wasmtime_attestation.evidence.snp_fields import SignerKind
from wasmtime_attestation.evidence.strict_json import Json
from wasmtime_attestation.services.devices import DeviceList
from wasmtime_attestation.services.evidence import (
    architecture,
    azure_parts,
    certificates,
    standard_base64,
    td_quote,
)

TEES: Mapping[EvidenceType, str] = {
    EvidenceType.INTEL_TDX: "tdx",
    EvidenceType.AMD_SEV_SNP: "snp",
    EvidenceType.AZURE_SNP: "az-snp-vtpm",
    EvidenceType.AZURE_TDX: "az-tdx-vtpm",
    EvidenceType.NVIDIA_GPU: "nvidia",
    EvidenceType.NVIDIA_SWITCH: "nvidia",
}
"""What the protocol calls each kind (kbs-types, `Tee`)."""
DEVICE = "nvidia"
_AZURE_VERSION = 1
_AUTHORITIES = ("ASK", "ARK")


def of_machine(evidence: Evidence, nonce: bytes) -> Json:
    """Returns the evidence of a virtual machine.

    Args:
        evidence: the evidence.
        nonce: what a vTPM's quote must answer.

    Raises:
        UnsupportedError: it answers another nonce.
    """
    match evidence.type:
        case EvidenceType.INTEL_TDX:
            return {"cc_eventlog": None, "quote": standard_base64(evidence.data)}
        case EvidenceType.AMD_SEV_SNP:
            return _snp(evidence)
        case _:
            return _azure(evidence, nonce)


def of_devices(devices: Sequence[Evidence]) -> Json:
    """Returns the evidence of GPUs and switches; their UUIDs are not in it, and not needed."""
    listed = []
    for device in devices:
        (item,) = DeviceList.of((device,), "Trustee").items
        if isinstance(item, dict):
            listed.append(item | {"arch": architecture(device), "uuid": "unknown"})
    return {"device_evidence_list": [*listed]}


def _snp(evidence: Evidence) -> Json:
    signer = snp.decode(evidence.data).keys.signer
    kinds = ("VLEK", *_AUTHORITIES) if signer is SignerKind.VLEK else ("VCEK", *_AUTHORITIES)
    chain: list[Json] = [
        {"cert_type": kind, "data": [*der]}
        for kind, der in zip(kinds, certificates(evidence), strict=False)
    ]
    return {"attestation_report": snp_json.document(evidence.data), "cert_chain": chain or None}


def _azure(evidence: Evidence, nonce: bytes) -> Json:
    parts, _ = azure_parts(evidence)
    document: dict[str, Json] = {
        "version": _AZURE_VERSION,
        "tpm_quote": _quote(parts, nonce),
        "hcl_report": _padded(parts.hcl_report),
    }
    if evidence.type is EvidenceType.AZURE_TDX:
        return document | {"td_quote": _padded(td_quote(parts))}
    chain = certificates(evidence)
    if not chain:
        raise UnavailableError("Azure's metadata service gave no VCEK, which Trustee needs")
    return document | {"vcek": _padded(chain[0])}


def _quote(parts: AzureEvidence, nonce: bytes) -> Json:
    quote = parts.tpm_quote
    if quote is None:
        raise UnavailableError("the vTPM made no quote, which Trustee needs")
    if not hmac.compare_digest(tpm.decode(quote.message).extra_data, nonce):
        raise UnsupportedError(
            "this host's vTPM quotes answer a nonce that follows from what is bound; Trustee "
            "wants them to answer the digest of its runtime data"
        )
    pcrs: list[Json] = [quote.pcrs[index].hex() for index in sorted(quote.pcrs)]
    return {"signature": quote.signature.hex(), "message": quote.message.hex(), "pcrs": pcrs}


def _padded(data: bytes) -> str:
    """Base64url with padding, as `serde_with` writes it."""
    text = encode(data)
    return text + "=" * (-len(text) % 4)
