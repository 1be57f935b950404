"""What a verified report of an NVIDIA GPU or NVSwitch says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from wasmtime_attestation.claims.form import fields, to_json
from wasmtime_attestation.endorsements.nvidia import Architecture
from wasmtime_attestation.evidence.strict_json import Json


@dataclass(frozen=True, slots=True)
class NvidiaClaims:
    """What a verified report and NVIDIA's manifests say of a device.

    A report has no field for the confidential mode, for debugging or for secure boot. That the
    first is on, the second off and the third on follows from the measurements, which differ
    otherwise: a report whose measurements are not golden is rejected.

    Attributes:
        device: `gpu` or `switch`.
        architecture: of the chip.
        hardware_model: the model in the device's chain, such as `GH100 A01 GSP BROM`.
        ueid: the serial number of the device's certificate, in decimal, as NVIDIA has it.
        nonce: what the report answers, 32 bytes.
        driver_version: of a GPU.
        vbios_version: of a GPU's VBIOS or a switch's BIOS.
        driver_rim, vbios_rim: the identifiers of the manifests.
        mode: how GPUs are passed through: `spt`, `mpt` or `ppcie`; None where older drivers
            do not say it.
        protected_pcie: whether the protected PCIe mode is on; None where nothing is said.
        project, project_sku, chip_sku: of a GPU's board.
        pdi: a switch's own identifier.
        peer_pdis: a GPU's switches, or a switch's GPUs.
        opaque_data_version: the major version of the report's fields.
        fwid: what the firmware was measured as; None where the report does not say it.
        measurements_matched: how many golden measurements the report has.
        measurements_skipped: the indices that do not count on this device.
        security_versions: every number that a manifest has a minimum for.
        rims_expire: when the first certificate of the manifests expires.
        revocation_checked: whether every certificate was found not to be revoked.
        trailing_bytes: how many bytes followed the report.
    """

    device: str
    architecture: Architecture
    hardware_model: str
    ueid: str
    nonce: bytes
    driver_version: str | None
    vbios_version: str
    driver_rim: str | None
    vbios_rim: str
    mode: str | None
    protected_pcie: bool | None
    project: str | None
    project_sku: str | None
    chip_sku: str | None
    pdi: bytes | None
    peer_pdis: tuple[bytes, ...]
    opaque_data_version: int
    fwid: bytes | None
    measurements_matched: int
    measurements_skipped: tuple[int, ...]
    security_versions: Mapping[str, int]
    rims_expire: datetime
    revocation_checked: bool
    trailing_bytes: int

    def to_json(self) -> dict[str, Json]:
        """Returns the claims as JSON; byte strings are in hex."""
        members = {
            name: to_json(value)
            for name, value in fields(self).items()
            if name != "security_versions"
        }
        return members | {"security_versions": dict(self.security_versions)}
