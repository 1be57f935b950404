"""Evidence in the pieces that services ask for, and what of it must come back in their tokens."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from types import MappingProxyType

from wasmtime_attestation.claims.verdict import Environment
from wasmtime_attestation.endorsements.x509 import load_certificate, pem
from wasmtime_attestation.errors import RejectedError, UnavailableError
from wasmtime_attestation.evidence import azure, hcl, nvidia, snp, tdx
from wasmtime_attestation.evidence.azure import AzureEvidence
from wasmtime_attestation.evidence.envelope import EndorsementType, Evidence, EvidenceType
from wasmtime_attestation.evidence.hcl import HclReport
from wasmtime_attestation.services.api import CHECK
from wasmtime_attestation.wit import TeeType

# The generation is in the name of the chip, which the second certificate is issued to.
_ARCHITECTURES = {"GH": "HOPPER", "GB": "BLACKWELL", "LS": "LS10"}


def certificates(evidence: Evidence) -> tuple[bytes, ...]:
    """Returns the certificates that came with evidence, in DER, as they came."""
    return tuple(
        item.data for item in evidence.endorsements if item.type is EndorsementType.CERTIFICATE
    )


def pem_chain(evidence: Evidence, missing: str) -> bytes:
    """Returns the certificates that came with evidence, in PEM.

    Args:
        evidence: the evidence.
        missing: what to say if there are none.

    Raises:
        UnavailableError: there are none, or one is none.
    """
    chain = certificates(evidence)
    if not chain:
        raise UnavailableError(missing)
    try:
        return b"".join(pem(load_certificate(der)) for der in chain)
    except ValueError as error:
        raise UnavailableError(
            f"a certificate that came with the evidence is none: {error}"
        ) from error


def azure_parts(evidence: Evidence) -> tuple[AzureEvidence, HclReport]:
    """Returns Azure's evidence and the HCL report in it, decoded."""
    parts = azure.decode(evidence.data)
    return parts, hcl.decode(parts.hcl_report)


def td_quote(parts: AzureEvidence) -> bytes:
    """Returns the TD quote of Azure's evidence.

    Raises:
        UnavailableError: there is none.
    """
    if parts.td_quote is None:
        raise UnavailableError(
            "Azure's metadata service did not quote the TDREPORT: there is nothing to show"
        )
    return parts.td_quote


def architecture(evidence: Evidence) -> str:
    """Names the architecture of a device as NVIDIA's service does: HOPPER, BLACKWELL, LS10.

    Raises:
        UnavailableError: the device's certificates do not say.
    """
    chain = certificates(evidence)
    if evidence.type is EvidenceType.NVIDIA_SWITCH:
        return _ARCHITECTURES["LS"]
    nvidia.decode(evidence.data)
    names = [load_certificate(der).subject.rfc4514_string() for der in chain[:2]]
    for name in names:
        for prefix, architecture_ in _ARCHITECTURES.items():
            if f"CN={prefix}" in name:
                return architecture_
    raise UnavailableError(
        f"a device's certificates name no architecture that is known: {names}; known are "
        f"{', '.join(_ARCHITECTURES.values())}"
    )


def serials(devices: Sequence[Evidence]) -> tuple[int, ...]:
    """Returns the serial number of each device's certificate, which is the device's identity.

    Raises:
        UnavailableError: a device came without its certificate.
    """
    found = []
    for place, device in enumerate(devices):
        chain = certificates(device)
        if not chain:
            raise UnavailableError(f"device {place} came without its certificates")
        found.append(load_certificate(chain[0]).serial_number)
    return tuple(found)


def standard_base64(data: bytes) -> str:
    """Returns base64 with padding (RFC 4648 section 4)."""
    return base64.b64encode(data).decode("ascii")


_TEES = MappingProxyType(
    {
        EvidenceType.INTEL_TDX: TeeType.INTEL_TDX,
        EvidenceType.AZURE_TDX: TeeType.INTEL_TDX,
        EvidenceType.AMD_SEV_SNP: TeeType.AMD_SEV_SNP,
        EvidenceType.AZURE_SNP: TeeType.AMD_SEV_SNP,
    }
)


def check_same(environment: Environment, evidence: Evidence) -> None:
    """Refuses a token about another machine than the one whose evidence was sent.

    Raises:
        RejectedError: `service.evidence`, it states another TEE or launch measurement.
    """
    if environment.tee_type is not _TEES[evidence.type]:
        raise RejectedError.of(
            CHECK,
            f"the token is about {environment.tee_type}, and the evidence is {evidence.type}: it "
            "is about another machine",
        )
    name, value = _measured(evidence)
    stated = environment.measurements.get(name)
    if stated is not None and stated != value.hex():
        raise RejectedError.of(
            CHECK,
            f"the token states the {name} {stated[:96]}, and the evidence has {value.hex()}: it "
            "is about another machine",
        )


def _measured(evidence: Evidence) -> tuple[str, bytes]:
    """Returns the name and the value of the launch measurement."""
    match evidence.type:
        case EvidenceType.INTEL_TDX:
            return "mrtd", tdx.decode(evidence.data).report.mrtd
        case EvidenceType.AZURE_TDX:
            parts, _ = azure_parts(evidence)
            return "mrtd", tdx.decode(td_quote(parts)).report.mrtd
        case EvidenceType.AZURE_SNP:
            _, report = azure_parts(evidence)
            return "measurement", snp.decode(report.hardware_report).measurement
        case _:
            return "measurement", snp.decode(evidence.data).measurement
