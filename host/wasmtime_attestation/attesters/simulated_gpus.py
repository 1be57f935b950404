"""Simulated GPUs: true reports of a Hopper GPU, signed by a miniature NVIDIA made at start.

Its root is trusted by no other host, and what ends there is `simulated`.

Sources: DMTF DSP0274 1.1.0, section 10.11 (measurements); NVIDIA, "NVIDIA Opaque Data Format".
"""

from __future__ import annotations

import hashlib
import secrets
import struct
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from wasmtime_attestation.attesters.miniature_nvidia import MiniatureNvidia, Signer
from wasmtime_attestation.attesters.nvidia_answer import check_nonce_size
from wasmtime_attestation.attesters.outcomes import no_such_gpu
from wasmtime_attestation.attesters.simulated import LIFETIME
from wasmtime_attestation.endorsements.x509 import der, pem
from wasmtime_attestation.evidence import spdm
from wasmtime_attestation.evidence.envelope import (
    EndorsementType,
    Evidence,
    EvidenceType,
    RawEndorsement,
)
from wasmtime_attestation.wit import GpuInfo

NAME = "SIMULATED NVIDIA GH100"
DRIVER_VERSION, VBIOS_VERSION = "simulated", "00.00.00.00.01"
# Nothing was measured: the digests say so in a way that can be recomputed.
FWID, DRIVER, VBIOS = (
    hashlib.sha384(f"wasmtime:attestation simulated {part}".encode()).digest()
    for part in ("firmware", "driver", "VBIOS")
)
_GOLDEN: Mapping[int, bytes] = {0: VBIOS, 1: DRIVER}
_OPAQUE: Mapping[int, bytes] = {
    3: DRIVER_VERSION.encode(),
    6: bytes([0, 0, 0, 0, 1, 0, 0, 0]),  # the VBIOS version
    15: b"0",  # the chip's SKU, the board's project and its SKU
    17: b"0",
    18: b"0",
    20: FWID,
}


@dataclass(frozen=True, slots=True)
class _Gpu:
    info: GpuInfo
    signer: Signer


class SimulatedGpus:
    """Collects reports of simulated GPUs, with everything that proves them.

    Args:
        now: when the key hierarchy becomes valid, in seconds since the Unix epoch.
        count: how many there are.
    """

    def __init__(self, now: int, count: int) -> None:
        begin = datetime.fromtimestamp(now, UTC) - timedelta(minutes=5)
        self._maker = MiniatureNvidia(not_before=begin, lifetime=LIFETIME)
        self._gpus = tuple(
            _Gpu(
                GpuInfo(index, f"GPU-{uuid.uuid4()}", NAME, confidential=True),
                self._maker.device(FWID),
            )
            for index in range(count)
        )
        manifests = (
            self._maker.manifest(version, {index: _GOLDEN[index]})
            for version, index in ((VBIOS_VERSION, 0), (DRIVER_VERSION, 1))
        )
        self._manifests = tuple(
            RawEndorsement(EndorsementType.NVIDIA_RIM, manifest) for manifest in manifests
        )

    @property
    def root_fingerprint(self) -> bytes:
        """SHA-256 of the root's SubjectPublicKeyInfo, for `Anchors.trusting`."""
        return self._maker.root_fingerprint

    def root_pem(self) -> bytes:
        """Returns the root certificate, for those who want to trust this simulation."""
        return pem(self._maker.root)

    def gpus(self) -> tuple[GpuInfo, ...]:
        """Lists the GPUs; see `DeviceAttester.gpus`."""
        return tuple(gpu.info for gpu in self._gpus)

    def collect(self, index: int, nonce: bytes) -> Evidence:
        """Signs a report of one GPU; see `DeviceAttester.collect`."""
        check_nonce_size(nonce)
        if index >= len(self._gpus):
            raise no_such_gpu(index, len(self._gpus))
        signer = self._gpus[index].signer
        signed = _signed_part(nonce)
        certificates = (
            RawEndorsement(EndorsementType.CERTIFICATE, der(certificate))
            for certificate in signer.chain
        )
        return Evidence(
            type=EvidenceType.NVIDIA_GPU,
            data=signed + signer.sign(signed),
            endorsements=(*certificates, *self._manifests),
        )

    def collect_all(self, nonce: bytes) -> tuple[Evidence, ...]:
        """Signs a report of each GPU; see `DeviceAttester.collect_all`."""
        return tuple(self.collect(gpu.info.index, nonce) for gpu in self._gpus)


def _signed_part(nonce: bytes) -> bytes:
    """Writes a request for all measurements in slot 0, and the response up to its signature."""
    blocks = b"".join(_block(index + 1, value) for index, value in _GOLDEN.items())
    fields = b"".join(struct.pack("<HH", t, len(v)) + v for t, v in _OPAQUE.items())
    return b"".join(
        (
            spdm.PREFIX + nonce + b"\0",
            bytes([0x11, 0x60, 0, 0, len(_GOLDEN)]) + len(blocks).to_bytes(3, "little") + blocks,
            secrets.token_bytes(spdm.NONCE_SIZE),
            struct.pack("<H", len(fields)) + fields,
        )
    )


def _block(index: int, digest: bytes) -> bytes:
    """Writes a measurement block of DMTF's format, whose value is a digest of firmware."""
    value = struct.pack("<BH", 1, len(digest)) + digest
    return struct.pack("<BBH", index, 1, len(value)) + value
