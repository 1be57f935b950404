"""What the calls take and give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class TeeInfo:
    """What the host found when it looked for a trusted execution environment.

    Attributes:
        tee_type: WIT's label, such as `intel-tdx`; `none` where nothing was found.
        supports_attestation: whether the host can collect evidence from it.
        provider: how evidence is reached, such as `configfs-tsm`.
        gpu_count: how many GPUs the host can see.
    """

    tee_type: str
    supports_attestation: bool
    provider: str
    gpu_count: int


@dataclass(frozen=True, slots=True)
class GpuInfo:
    """One GPU; `confidential` says whether its confidential computing mode is on."""

    index: int
    uuid: str
    name: str
    confidential: bool


@dataclass(frozen=True, slots=True)
class Attestation:
    """A token that proves where this guest runs.

    Attributes:
        token: the token in compact form; the evidence is inside it.
        evidence: a JSON summary of the evidence, where the host is configured to add one.
        timestamp: when it was issued, in seconds since the Unix epoch.
        tee_type: WIT's label of the environment that the evidence comes from.
    """

    token: str
    evidence: str | None
    timestamp: int
    tee_type: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verified token says.

    Attributes:
        issuer: who issued it.
        tee_type: WIT's label of the environment that the evidence comes from.
        status: `affirming`, `warning` or `contraindicated`; `none` where no policy was named.
        issued_at: in seconds since the Unix epoch.
        expires_at: in seconds since the Unix epoch.
        guest_digest: SHA-256 of the guest that it was issued to, as its host states.
        claims: everything that the token and its evidence say, as JSON.
    """

    issuer: str
    tee_type: str
    status: str
    issued_at: int
    expires_at: int
    guest_digest: bytes | None
    claims: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a check found wrong."""

    check: str
    detail: str


@dataclass(frozen=True, slots=True)
class Vm:
    """The virtual machine as what evidence is about."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU as what evidence is about."""

    index: int


@dataclass(frozen=True, slots=True)
class All:
    """The virtual machine and every GPU as what evidence is about."""


VM: Final = Vm()
ALL: Final = All()
Target = Vm | Gpu | All


class AttestationError(Exception):
    """Why a call failed.

    Attributes:
        case: WIT's label: `unsupported`, `unavailable`, `rejected`, `policy`, `denied`,
            `invalid-argument` or `internal`.
        findings: what the checks found, for `rejected` and `policy`.
    """

    def __init__(self, case: str, message: str, findings: Sequence[Finding] = ()) -> None:
        super().__init__(message)
        self.case = case
        self.findings = tuple(findings)
