"""A simulated SEV-SNP guest: true reports, signed by a miniature AMD made at start.

Its root is trusted by no other host, and what ends there is `simulated`.
"""

from __future__ import annotations

import hashlib
import secrets
import struct
from datetime import UTC, datetime, timedelta

from wasmtime_attestation.attesters.miniature_amd import MiniatureAmd, ReportSigner
from wasmtime_attestation.endorsements.x509 import der, pem
from wasmtime_attestation.evidence.envelope import (
    EndorsementType,
    Evidence,
    EvidenceType,
    RawEndorsement,
)
from wasmtime_attestation.evidence.snp import SIGNED_SIZE
from wasmtime_attestation.evidence.snp_fields import ProductLine, SignerKind, TcbVersion
from wasmtime_attestation.wit import TeeInfo, TeeType

PROVIDER = "simulated"
TCB = TcbVersion(boot_loader=4, tee=0, snp=24, microcode=219)
# Nobody ran anything: the measurement says so in a way that can be recomputed.
MEASUREMENT = hashlib.sha384(b"wasmtime:attestation simulated guest").digest()
# ABI 0.31, SMT allowed, reserved bit 17; no debugging, no migration.
POLICY = 0x3001F
# Longer than any simulation runs.
LIFETIME = timedelta(days=365)
# Half the bits, a tenth of the time at start; a simulation protects nothing.
RSA_BITS = 2048

_INFO = TeeInfo(TeeType.SIMULATED, supports_attestation=True, provider=PROVIDER, gpu_count=0)


class SimulatedAttester:
    """Collects reports of a simulated Milan machine.

    Args:
        now: when the key hierarchy becomes valid, in seconds since the Unix epoch.
        tcb: the versions of its firmware.
        measurement: of what it booted, 48 bytes.
    """

    def __init__(
        self, now: int, *, tcb: TcbVersion = TCB, measurement: bytes = MEASUREMENT
    ) -> None:
        self._tcb, self._measurement = tcb, measurement
        begin = datetime.fromtimestamp(now, UTC) - timedelta(minutes=5)
        self._chip_id = secrets.token_bytes(64)
        self._report_id = secrets.token_bytes(32)
        self._amd = MiniatureAmd(
            ProductLine.MILAN, not_before=begin, lifetime=LIFETIME, rsa_bits=RSA_BITS
        )
        self._vcek = self._amd.vcek(self._chip_id, tcb, "Milan-B0")

    @property
    def root_fingerprint(self) -> bytes:
        """SHA-256 of the root's SubjectPublicKeyInfo, for `Anchors.trusting`."""
        return self._amd.root_fingerprint

    def root_pem(self) -> bytes:
        """Returns the root certificate, for those who want to trust this simulation."""
        return pem(self._amd.ark.certificate)

    def info(self) -> TeeInfo:
        """Says that this is a simulation."""
        return _INFO

    def collect(self, report_data: bytes) -> Evidence:
        """Signs a report with the chain that proves it."""
        chain = (
            self._vcek.certificate,
            self._amd.issuer(SignerKind.VCEK).certificate,
            self._amd.ark.certificate,
        )
        return Evidence(
            type=EvidenceType.AMD_SEV_SNP,
            data=signed_report(self._body(report_data), self._vcek),
            endorsements=tuple(
                RawEndorsement(EndorsementType.CERTIFICATE, der(certificate))
                for certificate in chain
            ),
        )

    def _body(self, report_data: bytes) -> bytes:
        """Writes the signed part of an ATTESTATION_REPORT, version 3, field by field."""
        versions = self._tcb
        tcb = bytes([versions.boot_loader, versions.tee, 0, 0, 0, 0, versions.snp])
        tcb += bytes([versions.microcode])
        version = bytes([31, 55, 1, 0])
        body = b"".join(
            (
                struct.pack("<IIQ", 3, 0, POLICY),
                bytes(16 + 16),  # FAMILY_ID, IMAGE_ID
                struct.pack("<II", 0, 1),  # VMPL, SIGNATURE_ALGO
                tcb,
                struct.pack("<QII", 0x25, 0, 0),  # PLATFORM_INFO, key information
                report_data,
                self._measurement,
                bytes(32 + 48 + 48),  # HOST_DATA, ID_KEY_DIGEST, AUTHOR_KEY_DIGEST
                self._report_id,
                bytes([0xFF]) * 32,  # REPORT_ID_MA: there is no migration agent
                tcb,
                bytes([0x19, 0x01, 0x01]).ljust(24, b"\0"),  # CPUID of Milan
                self._chip_id,
                tcb,
                version + version,  # CURRENT and COMMITTED
                tcb,
            )
        )
        return body.ljust(SIGNED_SIZE, b"\0")


def signed_report(body: bytes, signer: ReportSigner) -> bytes:
    """Returns a whole report: the signed part and its signature."""
    return body + signer.sign(body)
