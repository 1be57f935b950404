"""What verified evidence of an Azure confidential VM says, beside its hardware report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wasmtime_attestation.claims.form import fields, to_json
from wasmtime_attestation.claims.snp import SnpClaims
from wasmtime_attestation.claims.tdx import TdxClaims
from wasmtime_attestation.evidence.strict_json import Json


@dataclass(frozen=True, slots=True)
class TpmClaims:
    """What the vTPM's quote says.

    Attributes:
        nonce: extraData, what the quote was asked for with.
        pcrs: the quoted values of the SHA-256 bank, by index.
        clock: milliseconds for which the vTPM has run.
        reset_count: how often it was reset.
        restart_count: how often it was restarted since.
        clock_safe: whether no higher clock was ever quoted.
        firmware_version: of the vTPM.
    """

    nonce: bytes
    pcrs: Mapping[int, bytes]
    clock: int
    reset_count: int
    restart_count: int
    clock_safe: bool
    firmware_version: int

    def to_json(self) -> dict[str, Json]:
        """Returns the claims as JSON; byte strings are in hex."""
        members = {name: to_json(value) for name, value in fields(self).items() if name != "pcrs"}
        return members | {"pcrs": {str(index): pcr.hex() for index, pcr in self.pcrs.items()}}


@dataclass(frozen=True, slots=True)
class AzureClaims:
    """What the paravisor of an Azure confidential VM states, and what stands below it.

    Attributes:
        hardware: the hardware report's claims: they speak of the paravisor.
        user_data: what the guest had put into the runtime claims; None in old reports.
        vm_configuration: as the paravisor states it.
        tpm: the vTPM's quote; None where there is none.
    """

    hardware: SnpClaims | TdxClaims
    user_data: bytes | None
    vm_configuration: Mapping[str, Json]
    tpm: TpmClaims | None

    @property
    def secure_boot(self) -> bool:
        """Whether the paravisor states that secure boot is on."""
        return self.vm_configuration.get("secure-boot") is True

    @property
    def console_enabled(self) -> bool:
        """Whether a console may be attached to the VM, unless the paravisor denies it."""
        return self.vm_configuration.get("console-enabled") is not False

    @property
    def vm_id(self) -> str | None:
        """The VM's id, in the lower case; None where there is none."""
        value = self.vm_configuration.get("vmUniqueId")
        return value.lower() if isinstance(value, str) else None

    def to_json(self) -> dict[str, Json]:
        """Returns the claims without the hardware's as JSON; byte strings are in hex."""
        return {
            "user_data": to_json(self.user_data),
            "vm_configuration": {**self.vm_configuration},
            "tpm": None if self.tpm is None else self.tpm.to_json(),
        }
