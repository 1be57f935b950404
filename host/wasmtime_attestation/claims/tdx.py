"""What a verified TDX quote says, and what Intel says of its platform."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from wasmtime_attestation.claims.form import fields, to_json
from wasmtime_attestation.endorsements.intel import Standing, TcbStatus
from wasmtime_attestation.endorsements.intel_pck import PckCertificate
from wasmtime_attestation.evidence.strict_json import Json
from wasmtime_attestation.evidence.tdx_fields import QeReport, TdReport

_RELAUNCH = (TcbStatus.TD_RELAUNCH_ADVISED, TcbStatus.TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED)


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
        revocation_checked: whether the revocation lists were there to check.
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
    revocation_checked: bool

    @property
    def standings(self) -> tuple[tuple[TcbStatus, TcbEvaluation], ...]:
        """Each status that a relying party must accept, and what it is of.

        The TD's own comes first. Intel's rule lets the standing of now mend what the launch lacked
        (a relaunch is advised then), and worsen nothing short of a revocation: where the TDX module
        of now is older than that of the launch, its status stands beside the TD's.
        """
        own, now = (self.tcb_status, self.tcb), self.current_tcb
        if now is None or now.status in (TcbStatus.UP_TO_DATE, own[0]) or own[0] in _RELAUNCH:
            return (own,)
        return own, (now.status, now)

    @property
    def advisories(self) -> tuple[str, ...]:
        """What the platform was open to at launch, or is now."""
        now = () if self.current_tcb is None else self.current_tcb.advisories
        return tuple(dict.fromkeys((*self.tcb.advisories, *now)))

    @property
    def has_named_service_tds(self) -> bool:
        """Whether MRSERVICETD says that service TDs are bound to the TD."""
        return any(self.report.mrservicetd or b"")

    @property
    def has_service_tds(self) -> bool:
        """Whether anything in the report says that service TDs are or were bound to the TD."""
        extended = self.report.service_td
        hashes = b"" if extended is None else extended.init_hash + extended.current_hash
        return self.has_named_service_tds or any(hashes)

    def to_json(self) -> dict[str, Json]:
        """Returns the claims as JSON; byte strings are in hex."""
        members = {
            name: to_json(value)
            for name, value in fields(self).items()
            if name not in {"report", "pck"}
        }
        platform = {
            name: to_json(value)
            for name, value in fields(self.pck).items()
            if name not in {"certificate", "key"}
        }
        return {name: to_json(value) for name, value in fields(self.report).items()} | members | {
            "pck": platform | {"expires": to_json(self.pck.certificate.not_valid_after_utc)}
        }  # fmt: skip
