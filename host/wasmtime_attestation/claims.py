"""Claims: what verified evidence says. Everything here is authentic, nothing is judged."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum

from wasmtime_attestation.endorsements.intel import Standing, TcbStatus
from wasmtime_attestation.endorsements.intel_pck import PckCertificate
from wasmtime_attestation.evidence.snp import SnpReport
from wasmtime_attestation.evidence.snp_fields import ProductLine
from wasmtime_attestation.evidence.strict_json import Json
from wasmtime_attestation.evidence.tdx_fields import QeReport, TdReport
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
class TcbEvaluation:
    """What Intel says of a platform as a whole, and of its parts.

    Attributes:
        status: of the whole, by Intel's rule of convergence.
        tcb_date: the earliest of the parts' dates: everything known before it is mended.
        advisories: of all parts.
        platform: processor and firmware.
        module: the TDX module; None where it is part of the platform (major version 0).
        qe: the Quoting Enclave.
    """

    status: TcbStatus
    tcb_date: datetime
    advisories: tuple[str, ...]
    platform: Standing
    module: Standing | None
    qe: Standing


@dataclass(frozen=True, slots=True)
class TdxClaims:
    """What a verified TDX quote says, and what Intel says of its platform.

    Attributes:
        quote_version: of the quote's format.
        trailing_bytes: how many bytes followed the quote.
        user_data: of the quote's header.
        report: what the TDX module says of the TD.
        qe: what the processor says of the Quoting Enclave.
        pck: the platform.
        tcb_status: the status of the TD: its launch's, or that a relaunch would mend it.
        tcb: the standing when the TD was launched.
        current_tcb: the standing when the quote was made; None in TDX 1.0.
        evaluation_number: the lower of the TCB evaluation data numbers.
        collateral_issued: when the older of TCB info and QE identity was issued.
        collateral_expires: when the first of them expires.
    """

    quote_version: int
    trailing_bytes: int
    user_data: bytes
    report: TdReport
    qe: QeReport
    pck: PckCertificate
    tcb_status: TcbStatus
    tcb: TcbEvaluation
    current_tcb: TcbEvaluation | None
    evaluation_number: int
    collateral_issued: datetime
    collateral_expires: datetime

    def to_json(self) -> dict[str, Json]:
        """Returns the claims as JSON; byte strings are in hex."""
        members = {
            name: to_json(value)
            for name, value in _fields(self).items()
            if name not in {"report", "pck"}
        }
        platform = {
            name: to_json(value)
            for name, value in _fields(self.pck).items()
            if name not in {"certificate", "key"}
        }
        return {name: to_json(value) for name, value in _fields(self.report).items()} | members | {
            "pck": platform | {"expires": to_json(self.pck.certificate.not_valid_after_utc)}
        }  # fmt: skip


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
    details: SnpClaims | TdxClaims

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
        case tuple():
            return [to_json(item) for item in value]
        case _:
            return {name: to_json(field) for name, field in _fields(value).items()}


def _fields(record: object) -> dict[str, object]:
    if not dataclasses.is_dataclass(record):
        raise TypeError(f"{type(record).__name__} has no JSON form")
    return {f.name: getattr(record, f.name) for f in dataclasses.fields(record)}
