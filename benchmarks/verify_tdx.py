"""Verification of TDX quotes beside dcap-qvl's, for `benchmarks.verify`."""

from __future__ import annotations

import importlib.util
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from wasmtime_attestation import verifier
from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.evidence import tdx
from wasmtime_attestation.evidence.envelope import Evidence, EvidenceType
from wasmtime_attestation.memo import Memo
from wasmtime_attestation.verifier import p256

from benchmarks.timing import Batch
from benchmarks.verify_snp import COLD, PARSED, WARM, vectors

if importlib.util.find_spec("dcap_qvl") is not None:
    import dcap_qvl

BARE = ("one ECDSA P-256 signature", "")
"""The row that the others are compared with."""
DCAP_QVL = ("TDX quote, dcap-qvl", "its only way")
QUOTE = "TDX quote"
_FILES = ("dcapqvl_tdx_quote_v4.bin", "dcapqvl_tdx_quote_v4.collateral.json")
_AT = datetime(2025, 7, 4, tzinfo=UTC)
"""An instant within the windows of the real collateral."""


def batches() -> dict[tuple[str, str], Batch]:
    """Returns what is measured, by the first two columns; nothing without real evidence."""
    files = [vectors() / "tdx" / name for name in _FILES]
    if not all(file.is_file() for file in files):
        return {}
    quote, collateral = (file.read_bytes() for file in files)
    return {BARE: _bare(quote)} | _ours(quote, collateral) | _dcap_qvl(quote, collateral)


def _bare(quote: bytes) -> Batch:
    """Verifies the quote's signature and nothing else: no check can be quicker."""
    decoded = tdx.decode(quote)
    key = p256.public_key(decoded.attestation_key)
    assert key is not None
    r, s = decoded.signature[:32], decoded.signature[32:]
    signature = encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))
    algorithm = ec.ECDSA(SHA256())
    return Batch.of(lambda: key.verify(signature, decoded.signed_bytes, algorithm))


def _ours(quote: bytes, collateral: bytes) -> dict[tuple[str, str], Batch]:
    evidence, anchors, memo = Evidence(EvidenceType.INTEL_TDX, quote), Anchors.of_vendors(), Memo()

    def parsed() -> Endorsements:
        return Endorsements.from_files([("collateral", collateral)])

    def verify(endorsements: Endorsements, remembered: Memo | None = None) -> None:
        verifier.verify(
            evidence,
            endorsements,
            report_data=None,
            nonce=None,
            at=_AT,
            anchors=anchors,
            ledger=Ledger(),
            memo=remembered,
        )

    known = parsed()
    return {
        (QUOTE, COLD): Batch.of(lambda: verify(parsed())),
        (QUOTE, PARSED): Batch.of(lambda: verify(known)),
        (QUOTE, WARM): Batch.of(lambda: verify(known, memo)),
    }


def _dcap_qvl(quote: bytes, collateral: bytes) -> dict[tuple[str, str], Batch]:
    """Verifies with dcap-qvl, which parses and verifies everything each time."""
    if importlib.util.find_spec("dcap_qvl") is None:
        return {}
    text, now = collateral.decode(), int(_AT.timestamp())

    def verify() -> None:
        dcap_qvl.verify(quote, dcap_qvl.QuoteCollateralV3.from_json(text), now)

    return {DCAP_QVL: Batch.of(verify)}
