"""GPUs by way of nvattest, for hosts that have the tool and not Python's package for NVML."""

from __future__ import annotations

import os
import threading

from wasmtime_attestation.attesters.nvattest import Nvattest, Source
from wasmtime_attestation.attesters.nvidia_answer import check_nonce_size, model_of, serial_of
from wasmtime_attestation.attesters.outcomes import no_such_gpu
from wasmtime_attestation.errors import UnavailableError
from wasmtime_attestation.evidence.envelope import Evidence, EvidenceType
from wasmtime_attestation.evidence.spdm import NONCE_SIZE
from wasmtime_attestation.wit import GpuInfo


class NvattestAttester:
    """Collects evidence of GPUs from nvattest.

    Indices are those of its first answer, NVML's order, and stay those of the same devices. In
    place of a UUID, which it does not tell, stands `ueid:` and the certificate's serial number.

    Args:
        source: where the JSON comes from.
    """

    def __init__(self, source: Source | None = None) -> None:
        self._source = source or Nvattest()
        self._lock = threading.Lock()
        self._gpus: tuple[GpuInfo, ...] = ()

    def gpus(self) -> tuple[GpuInfo, ...]:
        """Lists the GPUs; see `DeviceAttester.gpus`."""
        with self._lock:
            if not self._gpus:
                self._collect(os.urandom(NONCE_SIZE))
            return self._gpus

    def collect(self, index: int, nonce: bytes) -> Evidence:
        """Collects fresh evidence of one GPU; see `DeviceAttester.collect`."""
        evidence = self.collect_all(nonce)
        if index >= len(evidence):
            raise no_such_gpu(index, len(evidence))
        return evidence[index]

    def collect_all(self, nonce: bytes) -> tuple[Evidence, ...]:
        """Collects fresh evidence of every GPU; see `DeviceAttester.collect_all`."""
        check_nonce_size(nonce)
        with self._lock:
            found = self._collect(nonce)
            lost = [gpu.index for gpu in self._gpus if gpu.uuid not in found]
            if lost or len(found) != len(self._gpus):
                raise UnavailableError(
                    f"nvattest has evidence of {len(found)} GPUs, and had of {len(self._gpus)}; "
                    f"lost: {lost or 'none'}; start the host again to accept other devices"
                )
            return tuple(found[gpu.uuid] for gpu in self._gpus)

    def _collect(self, nonce: bytes) -> dict[str, Evidence]:
        """Collects, and remembers the first answer's order; keys are what stands for UUIDs."""
        evidence = self._source.collect(EvidenceType.NVIDIA_GPU, nonce)
        found = {
            f"ueid:{serial_of(piece, f'GPU {position}')}": piece
            for position, piece in enumerate(evidence)
        }
        if len(found) != len(evidence):
            raise UnavailableError("nvattest has evidence of one GPU twice")
        if not self._gpus:
            self._gpus = tuple(
                GpuInfo(index, uuid, model_of(piece), confidential=True)
                for index, (uuid, piece) in enumerate(found.items())
            )
        return found
