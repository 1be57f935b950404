"""Attesters: how evidence is collected, one module for each way."""

from __future__ import annotations

from typing import Protocol

from wasmtime_attestation.evidence.envelope import Evidence
from wasmtime_attestation.wit import TeeInfo


class Attester(Protocol):
    """Something that can collect evidence, or say why it cannot."""

    def info(self) -> TeeInfo:
        """Says what was found."""

    def collect(self, report_data: bytes) -> Evidence:
        """Collects fresh evidence that carries `report_data` (64 bytes).

        Raises:
            UnsupportedError: there is nothing to collect from.
            UnavailableError: the device did not answer.
        """
