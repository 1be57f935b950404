"""Fetches what a verification needs and does not have, for raw evidence and for tokens.

Nothing is asked before evidence was decoded: what gets into addresses are numbers, digests and
words of a known form. Evidence that cannot be decoded asks for nothing; verification says why.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsers import (
    amd_evidence,
    intel_evidence,
    nvidia_evidence,
    service_keys,
)
from wasmtime_attestation.endorsers.gathering import Gathering
from wasmtime_attestation.endorsers.question import Missing, Piece
from wasmtime_attestation.endorsers.service_urls import ServiceUrls
from wasmtime_attestation.endorsers.source import Source
from wasmtime_attestation.errors import RejectedError
from wasmtime_attestation.evidence import azure, hcl, jwt, nvidia, snp, tdx
from wasmtime_attestation.evidence.envelope import Evidence, EvidenceType
from wasmtime_attestation.evidence.recognise import Token
from wasmtime_attestation.evidence.token import EvidenceToken
from wasmtime_attestation.verifier.issuers import Issuer

Subject = Token | Sequence[Evidence]
"""What is to be verified: a token, or pieces of evidence."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What was fetched.

    Attributes:
        pieces: as it was served.
        endorsements: the same, decoded; the keys of issuers are with the issuers.
        issuers: those that were configured, the one of a token with its keys.
        missing: what could not be had, and why.
    """

    pieces: tuple[Piece, ...]
    endorsements: Endorsements
    issuers: tuple[Issuer, ...]
    missing: tuple[Missing, ...]


def fetch(
    subject: Subject,
    known: Endorsements,
    *,
    source: Source,
    urls: ServiceUrls,
    at: datetime,
    issuers: Sequence[Issuer] = (),
) -> Fetched:
    """Asks vendors for what is missing.

    Args:
        subject: what is to be verified; nothing of it is verified here.
        known: what is there already; what comes with evidence is known too.
        source: asks.
        urls: where services are.
        at: the instant at which everything must hold.
        issuers: whose tokens count, besides the well-known ones.
    """
    gathering = Gathering(source, urls, at, known)
    if isinstance(subject, Token) and subject.is_issued:
        found = service_keys.gather(subject.text, issuers, gathering)
    else:
        found = tuple(issuers)
        for number, evidence in enumerate(_evidence_of(subject, gathering)):
            _gather(number, evidence, gathering)
    return Fetched(
        tuple(dict.fromkeys(gathering.pieces)),
        gathering.fetched,
        found,
        tuple(dict.fromkeys(gathering.missing)),
    )


def _evidence_of(subject: Subject, gathering: Gathering) -> Sequence[Evidence]:
    if not isinstance(subject, Token):
        return subject
    try:
        return EvidenceToken.from_payload(jwt.decode(subject.text).claims()).evidence
    except (ValueError, RecursionError) as error:
        gathering.lacks("what the token needs", f"it cannot be decoded: {error}")
        return ()


def _gather(number: int, evidence: Evidence, gathering: Gathering) -> None:
    try:
        own = Endorsements.of_raw(evidence.endorsements)
        with gathering.beside(own):
            _gather_for(evidence, gathering)
    except (ValueError, RejectedError) as error:
        gathering.lacks(f"what evidence [{number}] needs", f"it cannot be decoded: {error}")


def _gather_for(evidence: Evidence, gathering: Gathering) -> None:
    match evidence.type:
        case EvidenceType.AMD_SEV_SNP:
            amd_evidence.gather(snp.decode(evidence.data), gathering)
        case EvidenceType.INTEL_TDX:
            intel_evidence.gather(tdx.decode(evidence.data), gathering)
        case EvidenceType.AZURE_SNP | EvidenceType.AZURE_TDX:
            _gather_for_azure(azure.decode(evidence.data), gathering)
        case EvidenceType.NVIDIA_GPU | EvidenceType.NVIDIA_SWITCH:
            nvidia_evidence.gather(nvidia.decode(evidence.data), gathering)


def _gather_for_azure(evidence: azure.AzureEvidence, gathering: Gathering) -> None:
    report = hcl.decode(evidence.hcl_report)
    if report.type is hcl.ReportType.SNP:
        amd_evidence.gather(snp.decode(report.hardware_report), gathering)
    elif evidence.td_quote is not None:
        intel_evidence.gather(tdx.decode(evidence.td_quote), gathering)
