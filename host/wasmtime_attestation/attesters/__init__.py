"""Attesters: how evidence is collected, one module for each way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from wasmtime_attestation.evidence.envelope import Evidence
    from wasmtime_attestation.wit import GpuInfo, TeeInfo


class Attester(Protocol):
    """Collects evidence about the virtual machine, or says why it cannot."""

    def info(self) -> TeeInfo:
        """Says what was found."""

    def collect(self, report_data: bytes) -> Evidence:
        """Collects fresh evidence that carries `report_data` (D, 64 bytes).

        Raises:
            UnsupportedError: there is nothing to collect from.
            UnavailableError: the device did not answer.
        """


@runtime_checkable
class QuotingAttester(Attester, Protocol):
    """An attester of a machine with a vTPM, whose quote answers a nonce of its own."""

    def collect_quoting(self, report_data: bytes, nonce: bytes) -> Evidence:
        """Collects as `collect` does, with a nonce that does not follow from D.

        Args:
            report_data: 64 bytes.
            nonce: what the quote answers, at most 50 bytes.
        """


def collect_quoting(attester: Attester, report_data: bytes, nonce: bytes) -> Evidence:
    """Collects with a nonce for the vTPM's quote, where the machine has a vTPM."""
    if isinstance(attester, QuotingAttester):
        return attester.collect_quoting(report_data, nonce)
    return attester.collect(report_data)


class DeviceAttester(Protocol):
    """Collects evidence about devices, GPUs and the switches between them."""

    def gpus(self) -> tuple[GpuInfo, ...]:
        """Lists the GPUs in PCI bus order.

        Raises:
            UnsupportedError: this machine has none.
            UnavailableError: the driver did not answer.
        """

    def collect(self, index: int, nonce: bytes) -> Evidence:
        """Collects fresh evidence of one GPU.

        Args:
            index: in PCI bus order.
            nonce: 32 bytes that the evidence carries.

        Raises:
            UnsupportedError: there is no such GPU, or it is in no confidential computing mode.
            UnavailableError: the device did not answer.
        """

    def collect_all(self, nonce: bytes) -> tuple[Evidence, ...]:
        """Collects fresh evidence of every GPU in order, and then of every switch.

        Raises:
            UnsupportedError: there is no GPU, or one is in no confidential computing mode.
            UnavailableError: a device did not answer; the message says what became of each.
        """
