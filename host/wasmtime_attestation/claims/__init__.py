"""Claims: what verified evidence says. Everything here is authentic, nothing is judged."""

from __future__ import annotations

from dataclasses import dataclass

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
    """

    platform: TeeType
    anchor: str
    simulated: bool
    report_data: bytes
    debug: bool
    details: SnpClaims | TdxClaims | NvidiaClaims

    @property
    def tee_type(self) -> TeeType:
        """The kind of environment; simulated evidence is `simulated`, whatever it says."""
        return TeeType.SIMULATED if self.simulated else self.platform

    def to_json(self) -> dict[str, Json]:
        """Returns the claims as JSON; byte strings are in hex."""
        return {
            "tee_type": self.tee_type,
            "platform": self.platform,
            "anchor": self.anchor,
            "debug": self.debug,
            self._name: self.details.to_json(),
        }

    @property
    def _name(self) -> str:
        """The member that the platform's own claims stand in; a switch is no TEE of its own."""
        is_switch = isinstance(self.details, NvidiaClaims) and self.details.device == "switch"
        return "nvidia-switch" if is_switch else self.platform
