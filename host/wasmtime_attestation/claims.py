"""Claims: what verified evidence says. Everything here is authentic, nothing is judged."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum

from wasmtime_attestation.evidence.snp import SnpReport
from wasmtime_attestation.evidence.snp_fields import ProductLine
from wasmtime_attestation.evidence.strict_json import Json
from wasmtime_attestation.wit import TeeType

_NOT_CLAIMS = {"signature_r", "signature_s", "signed_bytes", "keys"}


@dataclass(frozen=True, slots=True)
class SnpClaims:
    """What a verified SEV-SNP report and the certificate that signed it say.

    Attributes:
        report: the report.
        product_line: of the processor, the certificate and the root alike.
        product_name: AMD's product name in the certificate.
        csp_id: the cloud provider that the VLEK belongs to; None for a VCEK.
        key_expires: when the VCEK or VLEK expires.
        revocation_checked: whether a revocation list was there to check.
    """

    report: SnpReport
    product_line: ProductLine
    product_name: str
    csp_id: str | None
    key_expires: datetime
    revocation_checked: bool

    def to_json(self) -> dict[str, Json]:
        """Returns the claims as JSON; byte strings are in hex."""
        report = {
            name: to_json(value)
            for name, value in _fields(self.report).items()
            if name not in _NOT_CLAIMS
        }
        return report | {
            "provisional_firmware": self.report.firmware_is_provisional,
            "author_key_enabled": self.report.keys.author_key_enabled,
            "signer": self.report.keys.signer.name,
            "product_line": self.product_line,
            "product_name": self.product_name,
            "csp_id": self.csp_id,
            "key_expires": to_json(self.key_expires),
            "revocation_checked": self.revocation_checked,
        }


@dataclass(frozen=True, slots=True)
class Claims:
    """What verified evidence says, in the same words for every platform.

    Attributes:
        platform: what the evidence says that it comes from.
        anchor: the name of the root that it ends at.
        simulated: whether that root is one of a simulation.
        report_data: the 64 bytes that the attester bound to the evidence.
        debug: whether the host may read the guest's memory.
        details: the platform's own claims.
    """

    platform: TeeType
    anchor: str
    simulated: bool
    report_data: bytes
    debug: bool
    details: SnpClaims

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
            self.platform: self.details.to_json(),
        }


def to_json(value: object) -> Json:
    """Returns a claim as JSON: bytes in hex, instants in RFC 3339, records as objects.

    Raises:
        TypeError: the value is none of these.
    """
    match value:
        case None | bool() | StrEnum():
            return value
        case Enum():
            return value.name
        case int() | str():
            return value
        case bytes():
            return value.hex()
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case _:
            return {name: to_json(field) for name, field in _fields(value).items()}


def _fields(record: object) -> dict[str, object]:
    if not dataclasses.is_dataclass(record):
        raise TypeError(f"{type(record).__name__} has no JSON form")
    return {f.name: getattr(record, f.name) for f in dataclasses.fields(record)}
