"""Everything that one verification found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from wasmtime_attestation.appraisal.trustworthiness import Appraisal
from wasmtime_attestation.checks import Check
from wasmtime_attestation.claims import Claims
from wasmtime_attestation.claims.verdict import Verdict
from wasmtime_attestation.errors import AttestationError
from wasmtime_attestation.evidence.strict_json import Json
from wasmtime_attestation.result import AttestationResult


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that one verification found.

    Attributes:
        name: where the input came from.
        kind: what the input is.
        size: bytes of input.
        sha256: of the input, in hex.
        at: the instant of the verification.
        checks: every check and its outcome.
        claims: what the input says, once it is authentic.
        simulated: whether it ends at a root that the user named.
        debug: whether the evidence allows debugging.
        policy: the name of the policy that was applied, if one was.
        result: the appraisal, if one was made and accepted the claims.
        error: why the verification or appraisal failed, if it did.
        appraisals: of each piece of evidence that was appraised, in AR4SI's terms.
        nonce: what the evidence answers.
        expires_at: when a token expires, in seconds since the Unix epoch; None of evidence.
        evidence: what each piece of evidence says that is authentic, decoded.
        verdict: what a token says; None of evidence.
    """

    name: str
    kind: str
    size: int
    sha256: str
    at: datetime
    checks: tuple[Check, ...]
    claims: dict[str, Json] | None
    simulated: bool
    debug: bool
    policy: str | None
    result: AttestationResult | None
    error: AttestationError | None
    appraisals: tuple[Appraisal, ...] = ()
    nonce: bytes | None = None
    expires_at: int | None = None
    evidence: tuple[Claims, ...] = ()
    verdict: Verdict | None = None

    @property
    def outcome(self) -> str:
        """verified, rejected, policy or unavailable."""
        return "verified" if self.error is None else self.error.case

    @property
    def exit_code(self) -> int:
        """The exit code that says the same."""
        return 0 if self.error is None else self.error.exit_code
