"""Evidence from real hardware, which lies outside the project and is only read.

The folder is named by `ATTESTATION_VECTORS`, else it is `../shared/vectors` from the
project's root. Everything in it has expired, so tests name the instant, `AT`.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from wasmtime_attestation.endorsements.bundle import Endorsements

AT = datetime(2026, 3, 1, tzinfo=UTC)
"""An instant at which every certificate in `snp/` and `azure/` is valid."""

_DEFAULT = Path(__file__).parents[2] / "shared" / "vectors"
# Azure wraps the SNP report of 1,184 bytes in one of its own, behind a header of 32.
_IN_HCL_REPORT = slice(0x20, 0x20 + 1184)


def path(name: str) -> Path:
    """Returns where a file is; skips the test where it is not, and fails it in CI."""
    file = Path(os.environ.get("ATTESTATION_VECTORS") or _DEFAULT) / name
    if not file.is_file():
        reason = f"{name} is missing; name the folder of real evidence in ATTESTATION_VECTORS"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return file


def read(name: str) -> bytes:
    """Returns the bytes of a file."""
    return path(name).read_bytes()


@dataclass(frozen=True)
class SnpVector:
    """A real SEV-SNP report and what endorses it.

    Attributes:
        name: for test ids.
        report: reads the 1,184 bytes.
        chain: reads the certificates.
    """

    name: str
    report: Callable[[], bytes]
    chain: Callable[[], Endorsements]

    def __str__(self) -> str:
        return self.name


def endorsements(*names: str) -> Endorsements:
    """Reads files of endorsements."""
    return Endorsements.from_files([(name, read(name)) for name in names])


def _of_files(report: str, *chain: str) -> SnpVector:
    return SnpVector(Path(report).stem, lambda: read(report), lambda: endorsements(*chain))


def _in_azure_evidence(member: str) -> bytes:
    text: str = json.loads(read("azure/trustee_snp_evidence_v1.json"))[member]
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


MILAN_CHAIN = "snp/chain_milan_vcek.pem"
MILAN_V2 = _of_files("snp/gosev_report_v2_milan.bin", "snp/gosev_vcek_milan.der", MILAN_CHAIN)
MILAN_V3 = _of_files("snp/ms_report_v3_milan.bin", "snp/ms_vcek_milan.pem", MILAN_CHAIN)
TURIN_V5 = _of_files(
    "snp/ms_report_v5_turin.bin", "snp/ms_vcek_turin.pem", "snp/chain_turin_vcek.pem"
)
AZURE_V3 = SnpVector(
    "trustee_azure_v3_milan",
    lambda: _in_azure_evidence("hcl_report")[_IN_HCL_REPORT],
    lambda: (
        Endorsements.from_files([("vcek", _in_azure_evidence("vcek"))]) + endorsements(MILAN_CHAIN)
    ),
)
SNP = (MILAN_V2, MILAN_V3, TURIN_V5, AZURE_V3)


def azure_report_without_vcek() -> bytes:
    """Returns a real report (version 2, Milan) of a chip whose VCEK is not among the files."""
    return read("azure/kinvolk_hcl_report_snp.bin")[_IN_HCL_REPORT]
