"""AMD's Key Distribution Service: VCEKs, the chains above them, and revocation lists.

It limits how often it is asked, so it is asked for one thing at a time.

Source: AMD publication 57230, "VCEK Certificate and KDS Interface Specification", section
"KDS interface".
"""

from __future__ import annotations

from datetime import timedelta

from cryptography import x509

from wasmtime_attestation.endorsements import amd
from wasmtime_attestation.endorsements import x509 as certs
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsers.question import Piece, Question, Reply
from wasmtime_attestation.evidence.snp_fields import ProductLine, SignerKind, TcbVersion

TURIN_ID_SIZE = 8
"""Bytes of CHIP_ID that name a chip from Turin on."""
_KINDS = {SignerKind.VCEK: "vcek", SignerKind.VLEK: "vlek"}
_CERTIFICATE_AGE, _LIST_AGE = timedelta(days=30), timedelta(days=1)


def vcek(base: str, line: ProductLine, chip_id: bytes, tcb: TcbVersion) -> Question:
    """Asks for a chip's VCEK.

    Args:
        base: the service's address.
        line: the product line, which Bergamo and Siena share with Genoa.
        chip_id: CHIP_ID of the report, 64 bytes.
        tcb: REPORTED_TCB of the report.
    """
    hwid = chip_id[:TURIN_ID_SIZE] if line is ProductLine.TURIN else chip_id
    numbers = {
        "fmcSPL": tcb.fmc,
        "blSPL": tcb.boot_loader,
        "teeSPL": tcb.tee,
        "snpSPL": tcb.snp,
        "ucodeSPL": tcb.microcode,
    }
    query = "&".join(f"{name}={svn:02d}" for name, svn in numbers.items() if svn is not None)
    levels = "-".join(str(svn) for svn in numbers.values() if svn is not None)
    file = f"amd-vcek-{line}-{hwid[:8].hex()}-{levels}.der".lower()
    return Question(
        what=f"the VCEK of {line} chip {hwid.hex()[:16]}… at {tcb}",
        url=f"{base}/vcek/v1/{line}/{hwid.hex()}?{query}",
        pieces=lambda reply: (Piece(file, reply.body),),
        fits=lambda found: any(_is_of(c, hwid, tcb) for c in found.certificates),
        max_age=timedelta(days=365),
    )


def chain(base: str, kind: SignerKind, line: ProductLine) -> Question:
    """Asks for the ASK (for VCEKs) or ASVK (for VLEKs) and the ARK of a product line."""
    name = amd.issuer_name(kind, line)
    file = f"amd-{_KINDS[kind]}-{line}-cert-chain.pem".lower()
    return Question(
        what=f"the certificates of {name} and ARK-{line}",
        url=f"{base}/{_KINDS[kind]}/v1/{line}/cert_chain",
        pieces=lambda reply: (Piece(file, reply.body),),
        fits=lambda found: name in _subjects(found),
        max_age=_CERTIFICATE_AGE,
    )


def revocation_list(base: str, kind: SignerKind, line: ProductLine) -> Question:
    """Asks for the list of ASKs or ASVKs of a product line that AMD revoked."""
    file = f"amd-{_KINDS[kind]}-{line}.crl".lower()

    def pieces(reply: Reply) -> tuple[Piece, ...]:
        return (Piece(file, reply.body),)

    return Question(
        what=f"the revocation list of ARK-{line}",
        url=f"{base}/{_KINDS[kind]}/v1/{line}/crl",
        pieces=pieces,
        fits=lambda found: len(found.crls) == 1,
        max_age=_LIST_AGE,
    )


def _is_of(certificate: x509.Certificate, hwid: bytes, tcb: TcbVersion) -> bool:
    if not amd.is_versioned_key(certificate):
        return False
    key = amd.decode(certificate)
    return key.hwid is not None and key.hwid.startswith(hwid) and key.tcb == tcb


def _subjects(endorsements: Endorsements) -> set[str]:
    return {certs.common_name(certificate.subject) for certificate in endorsements.certificates}
