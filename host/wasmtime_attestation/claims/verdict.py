"""What a verified token says, in the same words whoever issued it (DESIGN section 4, `verdict`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from wasmtime_attestation.claims import Claims
from wasmtime_attestation.claims.form import to_json
from wasmtime_attestation.claims.trustworthiness import worst
from wasmtime_attestation.errors import Finding
from wasmtime_attestation.evidence.strict_json import Json
from wasmtime_attestation.wit import Status, TeeType

# What a policy can name of a report, by the report's own field names.
_MEASUREMENTS = (
    "measurement",
    "host_data",
    "id_key_digest",
    "author_key_digest",
    "mrtd",
    "rtmr0",
    "rtmr1",
    "rtmr2",
    "rtmr3",
    "mrseam",
    "mrconfigid",
    "mrowner",
    "mrownerconfig",
    "mrservicetd",
    "xfam",
)


class TokenKind(StrEnum):
    """The kinds of token."""

    EVIDENCE = "evidence-token"
    EAR = "ear"
    NRAS = "nras"
    MAA = "maa"
    ITA = "ita"


@dataclass(frozen=True, slots=True)
class Environment:
    """One environment that a token is about: a virtual machine, a GPU, a switch.

    Attributes:
        name: the token's name for it, or the platform's.
        tee_type: its kind.
        status: what the issuer says of it; none where the issuer does not appraise.
        debug: whether it is open for debugging; None where the token does not say.
        tcb_status: the vendor's word for its TCB; None where the token has none.
        report_data: what the attester bound to its evidence; None where the token does not say.
        measurements: digests in hex and versions, by the platform's names.
        settings: what the environment was launched with, where the token says it.
        findings: why the status is not affirming.
    """

    name: str
    tee_type: TeeType
    status: Status
    debug: bool | None = None
    tcb_status: str | None = None
    report_data: bytes | None = None
    measurements: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, bool] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    @classmethod
    def of(cls, claims: Claims, name: str) -> Environment:
        """Returns the environment that evidence is about; nothing of it is appraised."""
        report = getattr(claims.hardware, "report", None)
        values = {name: getattr(report, name, None) for name in _MEASUREMENTS}
        return cls(
            name=name,
            tee_type=claims.tee_type,
            status=Status.NONE,
            debug=claims.debug,
            report_data=claims.report_data,
            measurements={n: v.hex() for n, v in values.items() if isinstance(v, bytes)},
        )

    def to_json(self) -> dict[str, Json]:
        """Returns the environment as JSON; what the token does not say is left out."""
        members: dict[str, Json] = {
            "name": self.name,
            "tee_type": self.tee_type,
            "status": self.status,
            "debug": self.debug,
            "tcb_status": self.tcb_status,
            "report_data": to_json(self.report_data),
            "measurements": dict(self.measurements),
            "settings": dict(self.settings),
            "findings": [{"check": f.check, "detail": f.detail} for f in self.findings],
        }
        return {name: value for name, value in members.items() if value is not None}


def environments_of(evidence: Sequence[Claims]) -> tuple[Environment, ...]:
    """Returns the environments that evidence is about: named by kind, devices with their place."""
    if len(evidence) == 1:
        return (Environment.of(evidence[0], evidence[0].platform),)
    return tuple(
        Environment.of(each, f"{each.platform}-{place}" if each.is_device else each.platform)
        for place, each in enumerate(evidence)
    )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verified token says. The token is authentic; nothing here is appraised yet.

    Attributes:
        kind: what the token is.
        issuer: who issued it: `iss`, the key's thumbprint, or the configured name.
        issued_at: seconds since the Unix epoch.
        expires_at: likewise; from when on it is no longer valid.
        environments: what it is about, at least one; the virtual machine first.
        token: the original claims.
        nonce: the challenge that it answers, as it stands in the token.
        audience: whom it is for.
        guest_digest: SHA-256 of the guest that it names.
        evidence: what each piece of evidence in it says; empty where it carries none.
        findings: what the issuer says against it as a whole.
        result: the issuer's result for the whole; None where it gives none.
        replayed: when its evidence was recorded, if this process replays it; None for all others.
    """

    kind: TokenKind
    issuer: str
    issued_at: int
    expires_at: int
    environments: tuple[Environment, ...]
    token: dict[str, Json]
    nonce: str | None = None
    audience: str | None = None
    guest_digest: bytes | None = None
    evidence: tuple[Claims, ...] = ()
    findings: tuple[Finding, ...] = ()
    result: Status | None = None
    replayed: datetime | None = None

    @property
    def tee_type(self) -> TeeType:
        """The kind of the first environment."""
        return self.environments[0].tee_type

    @property
    def status(self) -> Status:
        """What the issuer says: the worst of its result and of the environments'."""
        whole = () if self.result is None else (self.result,)
        return worst((*whole, *(environment.status for environment in self.environments)))

    @property
    def reasons(self) -> tuple[Finding, ...]:
        """Every finding, of the whole and of each environment."""
        named = (
            Finding(finding.check, f"{environment.name}: {finding.detail}")
            for environment in self.environments
            for finding in environment.findings
        )
        return (*self.findings, *named)

    def to_json(self) -> dict[str, Json]:
        """Returns the verdict as JSON: `token` is the original, what is absent is left out."""
        members: dict[str, Json] = {
            "kind": self.kind,
            "issuer": self.issuer,
            "tee_type": self.tee_type,
            "status": self.status,
            "issued_at": self.issued_at,
            "expires_at": self.expires_at,
            "nonce": self.nonce,
            "audience": self.audience,
            "guest_digest": to_json(self.guest_digest),
            "environments": [environment.to_json() for environment in self.environments],
            "token": self.token,
        }
        if self.replayed is not None:
            members["replayed"] = f"REPLAYED: recorded at {to_json(self.replayed)}, not collected"
        if self.evidence:
            members["evidence"] = [claims.to_json() for claims in self.evidence]
        return {name: value for name, value in members.items() if value is not None}
