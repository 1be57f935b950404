"""REPORT_DATA: its size, and whether fresh evidence carries it where it has its place.

Sources: AMD 56860, table ATTESTATION_REPORT; Intel TDX DCAP Quoting Library, quote versions 4 and
5 (there, a descriptor of six bytes stands before the body).
"""

from __future__ import annotations

from wasmtime_attestation.errors import InvalidArgumentError
from wasmtime_attestation.evidence.envelope import EvidenceType

SIZE = 64
_SNP = 0x50
_BODY = {4: 48, 5: 48 + 6}
"""Where the body of a quote begins, by its version."""
_IN_BODY = 520


def check_size(report_data: bytes) -> None:
    """Raises `InvalidArgumentError` for what is no REPORT_DATA: what is shorter would be padded."""
    if len(report_data) != SIZE:
        raise InvalidArgumentError(
            f"report data has {len(report_data)} bytes, and hardware carries {SIZE}"
        )


def carries(kind: EvidenceType, data: bytes, report_data: bytes) -> bool:
    """Whether a report or quote carries REPORT_DATA; it is verified by whoever verifies it.

    Args:
        kind: AMD_SEV_SNP or INTEL_TDX.
        data: the evidence.
        report_data: 64 bytes.
    """
    if kind is EvidenceType.AMD_SEV_SNP:
        place = _SNP
    else:
        version = int.from_bytes(data[:2], "little")
        if version not in _BODY:
            # Of a form to come nobody here knows the place, and no verifier of ours takes it.
            return report_data in data
        place = _BODY[version] + _IN_BODY
    return data[place : place + SIZE] == report_data
