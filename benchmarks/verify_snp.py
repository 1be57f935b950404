"""Verification of SEV-SNP reports and evidence tokens, for `benchmarks.verify`."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384
from wasmtime_attestation import verifier
from wasmtime_attestation.attesters.simulated import SimulatedAttester
from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.endorsements import amd
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsements.x509 import load_certificate, pem
from wasmtime_attestation.evidence import snp
from wasmtime_attestation.evidence.envelope import Evidence, EvidenceType
from wasmtime_attestation.issuer import TokenIssuer
from wasmtime_attestation.memo import Memo
from wasmtime_attestation.verifier.expectations import Expected
from wasmtime_attestation.verifier.token import verify_token

from benchmarks.timing import Batch

VECTORS = Path(__file__).parents[2] / "shared" / "vectors"
"""Where real evidence is, unless `ATTESTATION_VECTORS` says otherwise."""
VECTORS_AT = datetime(2026, 3, 1, tzinfo=UTC)
"""An instant at which the certificates of the real evidence are valid."""
REAL = {
    "Milan": ("ms_report_v3_milan.bin", "ms_vcek_milan.pem", "chain_milan_vcek.pem"),
    "Turin": ("ms_report_v5_turin.bin", "ms_vcek_turin.pem", "chain_turin_vcek.pem"),
}
BARE = ("one ECDSA P-384 signature", "")
"""The row that the others are compared with."""
COLD = "cold: all is parsed and verified"
PARSED = "endorsements parsed before"
WARM = "warm: with a memo"
NONCE = bytes(32)


@dataclass(frozen=True, slots=True)
class Sample:
    """A SEV-SNP report, and what is needed to verify it.

    Attributes:
        report: the report.
        report_data: what it is bound to.
        files: names and bytes of its certificates in PEM.
        anchors: the roots to trust.
        at: an instant at which the certificates are valid.
    """

    report: Evidence
    report_data: bytes
    files: list[tuple[str, bytes]]
    anchors: Anchors
    at: datetime

    def endorsements(self) -> Endorsements:
        """Parses the certificates."""
        return Endorsements.from_files(self.files)

    def verify(self, endorsements: Endorsements, memo: Memo | None = None) -> None:
        """Verifies the report: all checks, all signatures of the chain that the memo lacks."""
        verifier.verify(
            self.report,
            endorsements,
            nonce=None,
            report_data=self.report_data,
            at=self.at,
            anchors=self.anchors,
            ledger=Ledger(),
            memo=memo,
        )


def batches() -> dict[tuple[str, str], Batch]:
    """Returns what is measured, by the first two columns of the table; bare first."""
    now = int(time.time())
    attester = SimulatedAttester(now)
    anchors = Anchors(()).trusting([attester.root_fingerprint])
    samples = _real() or {"simulated": _simulated(attester, anchors, now)}
    found = {BARE: _bare(next(iter(samples.values())))}
    for name, sample in samples.items():
        found |= _report(f"SEV-SNP report, {name}", sample)
    return found | _token(attester, anchors, now)


def vectors() -> Path:
    """Returns the folder of real evidence, which need not exist."""
    return Path(os.environ.get("ATTESTATION_VECTORS") or VECTORS)


def _real() -> dict[str, Sample]:
    """Returns the real samples, or none where a file is missing."""
    folder = vectors() / "snp"
    if not all((folder / name).is_file() for names in REAL.values() for name in names):
        return {}
    return {
        line: _sample(
            (folder / report).read_bytes(),
            [(name, (folder / name).read_bytes()) for name in certificates],
            Anchors.of_vendors(),
            VECTORS_AT,
        )
        for line, (report, *certificates) in REAL.items()
    }


def _simulated(attester: SimulatedAttester, anchors: Anchors, now: int) -> Sample:
    evidence = attester.collect(bytes(64))
    files = [("simulated", pem(load_certificate(e.data))) for e in evidence.endorsements]
    return _sample(evidence.data, files, anchors, datetime.fromtimestamp(now, UTC))


def _sample(data: bytes, files: list[tuple[str, bytes]], anchors: Anchors, at: datetime) -> Sample:
    report_data = snp.decode(data).report_data
    return Sample(Evidence(EvidenceType.AMD_SEV_SNP, data), report_data, files, anchors, at)


def _bare(sample: Sample) -> Batch:
    """Verifies the signature of a report and nothing else: no check can be quicker."""
    report = snp.decode(sample.report.data)
    signature = encode_dss_signature(report.signature_r, report.signature_s)
    certificates = sample.endorsements().certificates
    key = next(amd.decode(c).key for c in certificates if amd.is_versioned_key(c))
    algorithm = ec.ECDSA(SHA384())
    return Batch.of(lambda: key.verify(signature, report.signed_bytes, algorithm))


def _report(name: str, sample: Sample) -> dict[tuple[str, str], Batch]:
    parsed, memo = sample.endorsements(), Memo()
    return {
        (name, COLD): Batch.of(lambda: sample.verify(sample.endorsements())),
        (name, PARSED): Batch.of(lambda: sample.verify(parsed)),
        (name, WARM): Batch.of(lambda: sample.verify(parsed, memo)),
    }


def _token(attester: SimulatedAttester, anchors: Anchors, now: int) -> dict[tuple[str, str], Batch]:
    """Verifies an evidence token (two signatures), which brings its certificates along."""
    text, _ = TokenIssuer().issue(
        lambda bound: (attester.collect(bound),),
        nonce=NONCE,
        audience=None,
        guest_digest=None,
        user_data=None,
        now=now,
    )
    at, expected, memo = datetime.fromtimestamp(now, UTC), Expected(nonce=NONCE), Memo()

    def verify(remembered: Memo | None) -> None:
        verify_token(
            text,
            expected,
            Endorsements(),
            at=at,
            anchors=anchors,
            ledger=Ledger(),
            memo=remembered,
        )

    name = "evidence token (ES384), simulated"
    return {
        (name, COLD): Batch.of(lambda: verify(None)),
        (name, WARM): Batch.of(lambda: verify(memo)),
    }
