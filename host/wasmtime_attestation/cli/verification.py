"""One verification from input to report: what `verify` does once its options are read."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime

from wasmtime_attestation import verifier
from wasmtime_attestation.appraise import appraise
from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.claims import Claims
from wasmtime_attestation.cli import boot_logs, several
from wasmtime_attestation.cli.report import Report
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.errors import (
    AttestationError,
    InvalidArgumentError,
    PolicyError,
    RejectedError,
    UnavailableError,
)
from wasmtime_attestation.evidence.envelope import Evidence
from wasmtime_attestation.evidence.recognise import Token, recognise
from wasmtime_attestation.evidence.strict_json import Json
from wasmtime_attestation.memo import Memo
from wasmtime_attestation.policy import HARDWARE_ONLY, AppraisalPolicy
from wasmtime_attestation.result import AttestationResult
from wasmtime_attestation.verifier.token import Expected, verify_token


@dataclass(frozen=True, slots=True)
class Request:
    """What to verify, and against what.

    Attributes:
        name: where the input came from.
        data: the input.
        endorsements: what was given besides the input.
        anchors: the roots to trust.
        at: the instant to verify at.
        expected: what a token must say.
        report_data: what raw evidence must be bound to.
        boot_log: the log of the boot; None to take the one that came with the evidence.
        policy: what to appraise with; None for the default of the kind of input.
        memo: what was verified before of other inputs; it only saves time.
    """

    name: str
    data: bytes
    endorsements: Endorsements
    anchors: Anchors
    at: datetime
    expected: Expected
    report_data: bytes | None
    policy: AppraisalPolicy | None
    memo: Memo | None = None
    boot_log: bytes | None = None


def examine(request: Request) -> Report:
    """Verifies and appraises; each outcome is a report.

    Raises:
        InvalidArgumentError: an option does not fit the kind of input.
    """
    examination = _Examination(request)
    try:
        examination.run()
    except (RejectedError, PolicyError, UnavailableError) as error:
        return examination.report(error)
    return examination.report(None)


@dataclass(slots=True)
class _Examination:
    """Gathers what a report needs while the verification runs."""

    request: Request
    ledgers: list[Ledger] = field(default_factory=list)
    kind: str = "unknown"
    claims: list[Claims | None] = field(default_factory=list)
    members: dict[str, Json] | None = None
    policy: AppraisalPolicy | None = None
    result: AttestationResult | None = None

    def run(self) -> None:
        try:
            subject = recognise(self.request.data)
        except RejectedError as error:
            self._ledger().record(error.findings[0])
            raise
        if isinstance(subject, Token):
            self._token(subject)
        else:
            self._evidence(subject)

    def _ledger(self, evidence: int | None = None) -> Ledger:
        self.ledgers.append(Ledger(evidence))
        return self.ledgers[-1]

    def _token(self, subject: Token) -> None:
        self.kind = "evidence-token"
        request = self.request
        if request.report_data is not None:
            raise InvalidArgumentError("--report-data is for raw evidence; a token has a --nonce")
        if request.boot_log is not None:
            raise InvalidArgumentError("--boot-log is for raw evidence; give the evidence itself")
        verified = verify_token(
            subject.text,
            request.expected,
            request.endorsements,
            at=request.at,
            anchors=request.anchors,
            ledger=self._ledger(),
            memo=request.memo,
        )
        self.claims, self.members = [verified.claims], verified.to_json()
        self.policy = request.policy or HARDWARE_ONLY
        self.result = appraise(
            verified.claims,
            self.policy,
            at=request.at,
            guest_digest=verified.token.guest_digest,
            issuer=verified.issuer,
            issued_at=verified.token.issued_at,
        )

    def _evidence(self, pieces: tuple[Evidence, ...]) -> None:
        """Verifies every piece, so that the report says how each came out."""
        self.kind = ", ".join(dict.fromkeys(piece.type for piece in pieces))
        self.policy = self.request.policy
        expected = self.request.expected
        if expected.audience is not None or expected.max_age_seconds is not None:
            raise InvalidArgumentError("--audience and --max-age are for tokens")
        if self.request.boot_log is not None:
            pieces = boot_logs.attached(pieces, self.request.boot_log)
        outcomes = [
            self._piece(piece, index if len(pieces) > 1 else None)
            for index, piece in enumerate(pieces)
        ]
        if any(self.claims):
            self.members = {
                "evidence": [claims.to_json() if claims else None for claims in self.claims]
            }
        self.result = several.summary(outcomes)

    def _piece(self, evidence: Evidence, index: int | None) -> several.Outcome:
        """Returns the appraisal, None where there is no policy, or what went wrong."""
        self.claims.append(None)
        try:
            claims = self.claims[-1] = self._verified(evidence, self._ledger(index))
            if self.policy is None:
                return None
            return appraise(claims, self.policy, at=self.request.at, guest_digest=None)
        except (RejectedError, PolicyError, UnavailableError) as error:
            return error

    def _verified(self, evidence: Evidence, ledger: Ledger) -> Claims:
        request = self.request
        return verifier.verify(
            evidence,
            request.endorsements,
            report_data=request.report_data,
            nonce=request.expected.nonce,
            at=request.at,
            anchors=request.anchors,
            ledger=ledger,
            memo=request.memo,
        )

    def report(self, error: AttestationError | None) -> Report:
        return Report(
            name=self.request.name,
            kind=self.kind,
            size=len(self.request.data),
            sha256=hashlib.sha256(self.request.data).hexdigest(),
            at=self.request.at,
            checks=tuple(check for ledger in self.ledgers for check in ledger.checks),
            claims=self.members,
            simulated=any(claims.simulated for claims in self.claims if claims),
            debug=any(claims.debug for claims in self.claims if claims),
            policy=self.policy.name if self.policy else None,
            result=self.result,
            error=error,
        )
