"""Evidence as NVIDIA's tools write it: a list of `{arch, nonce, evidence, certificate}`.

Known are the evidence file of `nvattest`, what it prints when it collects, the request to
NVIDIA's attestation service, and Confidential Containers' evidence of devices. Architecture,
nonce and versions beside the evidence count for nothing: the signed report has its own.
"""

from __future__ import annotations

import base64
import binascii

from wasmtime_attestation.evidence import nvidia, pem
from wasmtime_attestation.evidence.envelope import EndorsementType, Evidence, RawEndorsement
from wasmtime_attestation.evidence.strict_json import Json, brief

LISTS = ("evidences", "evidence_list", "device_evidence_list")
"""Names of the list in documents that have something else beside it."""
BESIDE = frozenset({"result_code", "result_message", "nonce", "arch", "claims_version"})
"""What may stand beside the list."""
MAX_DEVICES = 64
MAX_CERTIFICATES = 16
"""Certificates of one device; a chain has five."""

_REQUIRED = {"evidence", "certificate"}
_HINTS = {"arch", "nonce", "version", "uuid", "index", "vbios_version", "driver_version"}


def read(items: Json) -> tuple[Evidence, ...]:
    """Returns the evidence in a list of devices.

    Raises:
        ValueError: it is no such list.
    """
    if not isinstance(items, list) or not 0 < len(items) <= MAX_DEVICES:
        raise ValueError(f"it is no list of 1 to {MAX_DEVICES} devices")
    return tuple(_device(item, f"[{index}]") for index, item in enumerate(items))


def _device(item: Json, name: str) -> Evidence:
    if not isinstance(item, dict) or not item.keys() >= _REQUIRED:
        raise ValueError(f"{name} is no object with evidence and certificate")
    unknown = sorted(item.keys() - _REQUIRED - _HINTS)
    if unknown:
        raise ValueError(f"{name} has members that are not known: {brief([*unknown])}")
    report = _base64(item["evidence"], f"{name}.evidence")
    text = _base64(item["certificate"], f"{name}.certificate")
    try:
        chain = pem.decode_chain(text, MAX_CERTIFICATES)
    except ValueError as error:
        raise ValueError(f"{name}.certificate is no chain: {error}") from error
    return Evidence(
        nvidia.type_of(report),
        report,
        tuple(RawEndorsement(EndorsementType.CERTIFICATE, der) for der in chain),
    )


def _base64(value: Json, name: str) -> bytes:
    if not isinstance(value, str):
        raise ValueError(f"{name} is no string")
    try:
        return base64.b64decode(value, validate=True)
    except (ValueError, binascii.Error) as error:
        raise ValueError(f"{name} is no base64: {error}") from error
