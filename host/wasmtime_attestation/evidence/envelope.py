"""A piece of evidence and what came with it, as attesters hand it over and tokens carry it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class EvidenceType(StrEnum):
    """The kinds of evidence; a kind that comes from hardware has the hardware's TEE label."""

    AMD_SEV_SNP = "amd-sev-snp"
    INTEL_TDX = "intel-tdx"
    AZURE_SNP = "azure-snp"
    AZURE_TDX = "azure-tdx"
    NVIDIA_GPU = "nvidia-gpu"
    NVIDIA_SWITCH = "nvidia-switch"


class EndorsementType(StrEnum):
    """The kinds of endorsement that come with evidence: DER, JSON, XML, a host's table."""

    CERTIFICATE = "x509-certificate"
    CRL = "x509-crl"
    INTEL_COLLATERAL = "intel-collateral"
    AMD_CERTIFICATE_TABLE = "amd-certificate-table"
    NVIDIA_RIM = "nvidia-rim"
    OCSP_RESPONSE = "ocsp-response"


@dataclass(frozen=True, slots=True)
class RawEndorsement:
    """An endorsement as it came: nothing of it is decoded."""

    type: EndorsementType
    data: bytes


@dataclass(frozen=True, slots=True)
class Evidence:
    """Evidence as it came from the hardware, with what came along.

    Attributes:
        type: the kind.
        data: the bytes that the hardware signed, and its signature.
        endorsements: what came with it and speaks for it.
        boot_log: the TCG or CC event log of the boot; None where there is none.
    """

    type: EvidenceType
    data: bytes
    endorsements: tuple[RawEndorsement, ...] = ()
    boot_log: bytes | None = None
