"""Takes what identifies a chip or a machine out of a recording.

Every id stands in what is signed, or in the certificate of the key that signed it: what is
redacted decodes and can be replayed, and verifies nowhere. Lengths stay as they were.

Sources: AMD publication 56860, ATTESTATION_REPORT; Intel, "TDX DCAP Quoting Library API",
appendix A.3; Microsoft, "Azure confidential VMs guest attestation design"; TCG, "TPM 2.0
Library", part 2, TPMS_ATTEST; NVIDIA, "NVIDIA Opaque Data Format".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

from cryptography import x509

from wasmtime_attestation.attesters.recording import Recording
from wasmtime_attestation.endorsements.x509 import UNREADABLE, load_certificate
from wasmtime_attestation.errors import InvalidArgumentError, RejectedError
from wasmtime_attestation.evidence import azure, base64url, hcl, spdm, spdm_opaque, tdx
from wasmtime_attestation.evidence.envelope import (
    EndorsementType,
    Evidence,
    EvidenceType,
    RawEndorsement,
)
from wasmtime_attestation.evidence.snp import SIGNED_SIZE, SIZE
from wasmtime_attestation.evidence.tdx_fields import QE_REPORT_SIZE
from wasmtime_attestation.evidence.tpm import TpmQuote

_REPORT_IDS, _CHIP_ID = (0x140, 0x180), (0x1A0, 0x1E0)
_QE_ID = (28, 48)
_PEM_BODY = re.compile(rb"(-----BEGIN CERTIFICATE-----)([^-]*)")
_VM_ID = re.compile(rb'("vmUniqueId"\s*:\s*")([^"]*)')
_MODULUS = re.compile(rb'("n"\s*:\s*")([^"]*)')
_HARDWARE_OFFSET = 32
# What names a device or its neighbours: issuer, authority key, information, PDIs, place, links.
_DEVICE_FIELDS = (1, 2, 4, 22, 24, 26)
_UNUSABLE: tuple[type[Exception], ...] = (*UNREADABLE, x509.ExtensionNotFound)
_DROPPED = (EndorsementType.AMD_CERTIFICATE_TABLE, EndorsementType.OCSP_RESPONSE)

_SNP = "CHIP_ID, REPORT_ID and SIGNATURE of the SEV-SNP report: the VCEK signed the first two"
_TDX = (
    "the QE's id, the attestation key, the PCK certificate and all signatures of the TDX quote: "
    "nothing connects the TD report to Intel's root"
)
_AZURE = (
    "vmUniqueId and the vTPM's keys in the runtime claims, and the TPM quote's signature: the "
    "hardware report holds the digest of the claims as they were"
)
_GPU = "what names the device in the NVIDIA report, its signature and its certificates"


def redact(recording: Recording) -> Recording:
    """Returns a recording without ids; it names what was removed, and why it no longer verifies.

    Raises:
        InvalidArgumentError: evidence in it cannot be decoded, so that ids in it are not found.
    """
    try:
        pieces = [_redacted(piece) for piece in recording.recorded.evidence]
    except (RejectedError, ValueError) as error:
        raise InvalidArgumentError(f"the recording cannot be redacted: {error}") from error
    remarks = list(dict.fromkeys(remark for _, found in pieces for remark in found))
    kept = tuple(e for e in recording.endorsements if _names_no_chip(e))
    if len(kept) < len(recording.endorsements):
        remarks.append("endorsements that name a chip: certificates and OCSP responses")
    if recording.gpus:
        remarks.append("the UUIDs of the GPUs")
    gpus = tuple(replace(gpu, uuid=f"GPU-{gpu.index:08x}") for gpu in recording.gpus)
    changed = replace(recording, gpus=gpus, endorsements=kept)
    return changed.redacted(tuple(piece for piece, _ in pieces), tuple(remarks))


def _redacted(piece: Evidence) -> tuple[Evidence, tuple[str, ...]]:
    redact_data, remark = _BY_TYPE[piece.type]
    is_device = piece.type in (EvidenceType.NVIDIA_GPU, EvidenceType.NVIDIA_SWITCH)
    kept = tuple(
        e
        for e in piece.endorsements
        if _names_no_chip(e) and not (is_device and e.type is EndorsementType.CERTIFICATE)
    )
    remarks = [remark]
    if len(kept) < len(piece.endorsements):
        remarks.append("the certificates that name the chip or the device")
    if piece.boot_log is not None:
        remarks.append("the boot log, in which disks, hosts and command lines are named")
    changed = replace(piece, data=redact_data(piece.data), endorsements=kept, boot_log=None)
    return changed, tuple(remarks)


def _names_no_chip(endorsement: RawEndorsement) -> bool:
    """Certificates of authorities, lists and collateral are those of many chips."""
    if endorsement.type is not EndorsementType.CERTIFICATE:
        return endorsement.type not in _DROPPED
    try:
        constraints = load_certificate(endorsement.data).extensions.get_extension_for_class(
            x509.BasicConstraints
        )
    except _UNUSABLE:
        return False
    return constraints.value.ca


def _snp(report: bytes) -> bytes:
    if len(report) != SIZE:
        raise ValueError(f"a SEV-SNP report has {SIZE} bytes, not {len(report)}")
    data = bytearray(report)
    _blank(data, *_REPORT_IDS)
    _blank(data, *_CHIP_ID)
    _blank(data, SIGNED_SIZE, SIZE)
    return bytes(data)


def _tdx(quote: bytes) -> bytes:
    decoded = tdx.decode(quote)
    data = bytearray(quote[: decoded.size])
    _blank(data, *_QE_ID)
    signature = len(decoded.signed_bytes) + 4
    _blank(data, signature, signature + 128)
    qe_report = signature + 128 + 6
    qe_signature = qe_report + QE_REPORT_SIZE
    _blank(data, qe_signature - 64, qe_signature + 64)
    certification = qe_signature + 64 + 2 + len(decoded.qe_auth_data) + 6
    if decoded.pck_reference is not None:
        _blank(data, certification, len(data))
    chain = _PEM_BODY.sub(_blank_pem, bytes(data[certification:]), count=1)
    return bytes(data[:certification]) + chain


def _azure(data: bytes) -> bytes:
    evidence = azure.decode(data)
    return azure.AzureEvidence(
        hcl_report=_hcl(evidence.hcl_report),
        tpm_quote=None if evidence.tpm_quote is None else _tpm(evidence.tpm_quote),
        td_quote=None if evidence.td_quote is None else _tdx(evidence.td_quote),
    ).encode()


def _hcl(report: bytes) -> bytes:
    decoded = hcl.decode(report)
    hardware = decoded.hardware_report
    if decoded.type is hcl.ReportType.SNP:
        hardware = _snp(hardware)
    begin = report.index(decoded.claims_text)
    end = begin + len(decoded.claims_text)
    text = _VM_ID.sub(lambda m: m[1] + re.sub(rb"[^-]", b"0", m[2]), decoded.claims_text)
    text = _MODULUS.sub(lambda m: m[1] + _modulus_like(m[2]), text)
    after_hardware = _HARDWARE_OFFSET + len(hardware)
    return report[:_HARDWARE_OFFSET] + hardware + report[after_hardware:begin] + text + report[end:]


def _modulus_like(text: bytes) -> bytes:
    """Returns a number of the same size that is odd, as a modulus is, and nobody's key."""
    size = len(base64url.decode(text.decode("ascii")))
    return base64url.encode(b"\x80" + bytes(size - 2) + b"\x01").encode("ascii")


def _tpm(quote: TpmQuote) -> TpmQuote:
    """QualifiedSigner is the digest of the attestation key's name; the clock is the machine's."""
    message = bytearray(quote.message)
    signer = 6
    clock = _after(message, _after(message, signer))
    _blank(
        message, signer + 2 + 2, signer + 2 + int.from_bytes(message[signer : signer + 2], "big")
    )
    # Clock, reset count, restart count; `safe`, which follows them, is a boolean.
    _blank(message, clock, clock + 16)
    return TpmQuote(bytes(message), bytes(len(quote.signature)), quote.pcrs)


def _after(message: bytearray, offset: int) -> int:
    """Returns where the field after a TPM2B begins."""
    return offset + 2 + int.from_bytes(message[offset : offset + 2], "big")


def _nvidia(report: bytes) -> bytes:
    decoded = spdm.decode(report)
    data = bytearray(report[: decoded.size])
    _blank(data, len(decoded.signed_bytes), decoded.size)
    opaque = len(decoded.signed_bytes) - len(decoded.opaque)
    fields = spdm_opaque.decode(decoded.opaque)
    for kind in _DEVICE_FIELDS:
        value = fields.value(kind)
        if value:
            begin = bytes(data).index(_header(kind, fields, value) + value, opaque)
            end = begin + len(_header(kind, fields, value)) + len(value)
            _blank(data, end - len(value), end)
    return bytes(data)


def _header(kind: int, fields: spdm_opaque.OpaqueData, value: bytes) -> bytes:
    value_type = fields.fields[kind].value_type
    parts = (kind, len(value)) if value_type is None else (kind, value_type, len(value))
    return b"".join(part.to_bytes(2, "little") for part in parts)


def _blank_pem(found: re.Match[bytes]) -> bytes:
    return found[1] + re.sub(rb"[A-Za-z0-9+/=]", b"A", found[2])


def _blank(data: bytearray, begin: int, end: int) -> None:
    data[begin:end] = bytes(end - begin)


_BY_TYPE: Mapping[EvidenceType, tuple[Callable[[bytes], bytes], str]] = MappingProxyType(
    {
        EvidenceType.AMD_SEV_SNP: (_snp, _SNP),
        EvidenceType.INTEL_TDX: (_tdx, _TDX),
        EvidenceType.AZURE_SNP: (_azure, f"{_AZURE}; CHIP_ID, REPORT_ID and SIGNATURE below it"),
        EvidenceType.AZURE_TDX: (_azure, _AZURE),
        EvidenceType.NVIDIA_GPU: (_nvidia, _GPU),
        EvidenceType.NVIDIA_SWITCH: (_nvidia, _GPU),
    }
)
