"""Claims: what verified evidence says. Everything here is authentic, nothing is judged."""

from __future__ import annotations

from dataclasses import dataclass

from wasmtime_attestation.claims.azure import AzureClaims
from wasmtime_attestation.claims.boot_log import BootLogClaims
from wasmtime_attestation.claims.form import to_json
from wasmtime_attestation.claims.gpu import NvidiaClaims
from wasmtime_attestation.claims.snp import SnpClaims
from wasmtime_attestation.claims.tdx import TdxClaims
from wasmtime_attestation.evidence.strict_json import Json
from wasmtime_attestation.wit import TeeType


@dataclass(frozen=True, slots=True)
class Claims:
    """What verified evidence says, in the same words for every platform.

    Attributes:
        platform: what the evidence says that it comes from.
        anchor: the name of the root that it ends at.
        simulated: whether that root is one of a simulation.
        report_data: the 64 bytes that the attester bound to the evidence; a GPU's 32-byte nonce.
        debug: whether the host may read the guest's memory.
        details: the platform's own claims.
        boot_log: what the boot log says that leads to the evidence's registers; None without.
    """

    platform: TeeType
    anchor: str
    simulated: bool
    report_data: bytes
    debug: bool
    details: SnpClaims | TdxClaims | AzureClaims | NvidiaClaims
    boot_log: BootLogClaims | None = None

    @property
    def tee_type(self) -> TeeType:
        """The kind of environment; simulated evidence is `simulated`, whatever it says."""
        return TeeType.SIMULATED if self.simulated else self.platform

    @property
    def has_paravisor(self) -> bool:
        """Whether the hardware measures a paravisor, and its vTPM the guest."""
        return isinstance(self.details, AzureClaims)

    @property
    def is_device(self) -> bool:
        """Whether it is about a GPU or a switch, which says nothing about its host."""
        return isinstance(self.details, NvidiaClaims)

    @property
    def hardware(self) -> SnpClaims | TdxClaims | NvidiaClaims:
        """The claims of the hardware report: on Azure, of the one below the paravisor."""
        return self.details.hardware if isinstance(self.details, AzureClaims) else self.details

    def to_json(self) -> dict[str, Json]:
        """Returns the claims as JSON; byte strings are in hex."""
        members: dict[str, Json] = {
            "tee_type": self.tee_type,
            "platform": self.platform,
            "anchor": self.anchor,
            "debug": self.debug,
        }
        if isinstance(self.details, AzureClaims):
            members |= {"azure": self.details.to_json()}
            members |= {self.platform: self.details.hardware.to_json()}
        else:
            members |= {self._name: self.details.to_json()}
        return members if self.boot_log is None else members | {"boot_log": to_json(self.boot_log)}

    @property
    def _name(self) -> str:
        """The member that the platform's own claims stand in; a switch is no TEE of its own."""
        is_switch = isinstance(self.details, NvidiaClaims) and self.details.device == "switch"
        return "nvidia-switch" if is_switch else self.platform
