"""Looks at what a device handed over before it is called evidence: form, kind and nonce.

Whether it is authentic is for verifiers to say; here a driver's mistake is told from evidence.
"""

from __future__ import annotations

import hmac

from wasmtime_attestation.endorsements.x509 import common_name, load_certificate
from wasmtime_attestation.errors import InvalidArgumentError, RejectedError, UnavailableError
from wasmtime_attestation.evidence import nvidia, pem
from wasmtime_attestation.evidence.envelope import (
    EndorsementType,
    Evidence,
    EvidenceType,
    RawEndorsement,
)
from wasmtime_attestation.evidence.nvidia_json import MAX_CERTIFICATES
from wasmtime_attestation.evidence.spdm import NONCE_SIZE


def check_nonce_size(nonce: bytes) -> None:
    """Raises `InvalidArgumentError` for a nonce that no device takes."""
    if len(nonce) != NONCE_SIZE:
        raise InvalidArgumentError(
            f"the nonce of a GPU or switch has {NONCE_SIZE} bytes, not {len(nonce)}"
        )


def evidence_of(report: bytes, chain: bytes, name: str) -> Evidence:
    """Returns a report as evidence, with its certificates.

    Args:
        report: the SPDM request and response.
        chain: the certificates in PEM.
        name: which device this is, for messages.

    Raises:
        UnavailableError: the chain is none.
    """
    try:
        certificates = pem.decode_chain(chain, MAX_CERTIFICATES)
    except ValueError as error:
        raise UnavailableError(
            f"{name}: its driver gave no certificate chain that can be read: {error}"
        ) from error
    return Evidence(
        nvidia.type_of(report),
        report,
        tuple(RawEndorsement(EndorsementType.CERTIFICATE, der) for der in certificates),
    )


def check_answer(evidence: Evidence, nonce: bytes, kind: EvidenceType, name: str) -> None:
    """Checks that evidence is of the kind that was asked for and answers the nonce.

    Raises:
        UnavailableError: it is something else.
    """
    try:
        report = nvidia.decode(evidence.data)
    except RejectedError as error:
        raise UnavailableError(
            f"{name}: its driver gave no report that is understood: {error}"
        ) from error
    if evidence.type is not kind:
        raise UnavailableError(f"{name}: its driver gave the report of another kind of device")
    if not hmac.compare_digest(report.signed.nonce, nonce):
        raise UnavailableError(
            f"{name}: its driver gave a report for another nonce, perhaps a former one; try again"
        )


def serial_of(evidence: Evidence, name: str) -> int:
    """Returns the serial number of the device's own certificate, which is its `ueid`.

    Raises:
        UnavailableError: the certificate cannot be read.
    """
    try:
        return load_certificate(evidence.endorsements[0].data).serial_number
    except ValueError as error:
        raise UnavailableError(f"{name}: its certificate cannot be read: {error}") from error


def model_of(evidence: Evidence) -> str:
    """Returns what the device's chain calls its model; "" where it does not say."""
    try:
        return common_name(load_certificate(evidence.endorsements[1].data).subject)
    except (ValueError, IndexError):
        return ""
