"""The Attestation Result (RFC 9334): what an appraisal policy makes of claims."""

from __future__ import annotations

from dataclasses import dataclass

from wasmtime_attestation.errors import Finding
from wasmtime_attestation.wit import Status


@dataclass(frozen=True, slots=True)
class AttestationResult:
    """The outcome of an appraisal that accepted the claims.

    Attributes:
        policy: the name of the policy that was applied.
        status: affirming, or warning where findings deserve attention.
        findings: what deserves attention.
    """

    policy: str
    status: Status
    findings: tuple[Finding, ...]
