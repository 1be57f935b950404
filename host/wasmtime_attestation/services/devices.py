"""NVIDIA's devices as services are asked about them: one architecture, one nonce, one list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wasmtime_attestation.errors import UnsupportedError
from wasmtime_attestation.evidence.envelope import Evidence, EvidenceType
from wasmtime_attestation.evidence.strict_json import Json
from wasmtime_attestation.services.evidence import (
    architecture,
    pem_chain,
    serials,
    standard_base64,
)

_NO_CHAIN = "a device came without its certificates, which the service needs"


@dataclass(frozen=True, slots=True)
class DeviceList:
    """Devices that one request can be about.

    Attributes:
        items: `{evidence, certificate}` of each, in order.
        architecture: HOPPER, BLACKWELL or LS10.
        is_switches: whether they are switches.
        serials: the serial number of each device's certificate.
    """

    items: list[Json]
    architecture: str
    is_switches: bool
    serials: tuple[int, ...]

    @classmethod
    def of(cls, devices: Sequence[Evidence], service: str) -> DeviceList:
        """Reads evidence of devices.

        Args:
            devices: the evidence.
            service: for messages.

        Raises:
            UnsupportedError: they are not of one kind and architecture, or none.
            UnavailableError: certificates are missing.
        """
        kinds = {device.type for device in devices}
        names = sorted({architecture(device) for device in devices})
        if len(kinds) != 1 or len(names) != 1:
            raise UnsupportedError(
                f"{service} takes devices of one architecture at a time; these are "
                f"{', '.join(names) or 'none'}: ask for one GPU (gpu:N)"
            )
        return cls(
            [_item(device) for device in devices],
            names[0],
            kinds == {EvidenceType.NVIDIA_SWITCH},
            serials(devices),
        )


def _item(device: Evidence) -> Json:
    return {
        "evidence": standard_base64(device.data),
        "certificate": standard_base64(pem_chain(device, _NO_CHAIN)),
    }
