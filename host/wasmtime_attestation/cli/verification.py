"""One verification from input to report: what `verify` does once its options are read."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime

from wasmtime_attestation import verifier
from wasmtime_attestation.appraise import gpu
from wasmtime_attestation.appraise.token import appraise_any, check_issuers_result
from wasmtime_attestation.appraise.trustworthiness import Appraisal, appraisal
from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.claims import Claims
from wasmtime_attestation.claims.verdict import TokenKind, Verdict
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
from wasmtime_attestation.evidence import base64url
from wasmtime_attestation.evidence.envelope import Evidence
from wasmtime_attestation.evidence.recognise import Token, recognise
from wasmtime_attestation.evidence.strict_json import Json
from wasmtime_attestation.memo import Memo
from wasmtime_attestation.policy import HARDWARE_ONLY, AppraisalPolicy
from wasmtime_attestation.result import AttestationResult
from wasmtime_attestation.verifier import tokens
from wasmtime_attestation.verifier.expectations import Expected
from wasmtime_attestation.verifier.issuers import Issuer
from wasmtime_attestation.verifier.tokens import Trust


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
        issuers: whose tokens count, besides the well-known ones.
        memo: what was verified before of other inputs; it only saves time.
        must_be_token: whether evidence in place of a token is rejected.
    """

    name: str
    data: bytes
    endorsements: Endorsements
    anchors: Anchors
    at: datetime
    expected: Expected
    report_data: bytes | None
    policy: AppraisalPolicy | None
    issuers: tuple[Issuer, ...] = ()
    memo: Memo | None = None
    boot_log: bytes | None = None
    must_be_token: bool = False


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
    verdict: Verdict | None = None
    policy: AppraisalPolicy | None = None
    result: AttestationResult | None = None
    appraisals: list[Appraisal] = field(default_factory=list)
    nonce: bytes | None = None

    def run(self) -> None:
        try:
            subject = recognise(self.request.data)
        except RejectedError as error:
            self._ledger().record(error.findings[0])
            raise
        if isinstance(subject, Token):
            self._token(subject)
        elif self.request.must_be_token:
            # Evidence alone is not appraised without a policy, and a token always is.
            self._ledger().reject("input.format", "this is evidence, not a token")
        else:
            self._evidence(subject)

    def _endorsements(self) -> Endorsements:
        """Returns what was given; the policy says what of it may be missing."""
        policy = self.request.policy
        given = self.request.endorsements
        return given.waiving(policy.waived) if policy and policy.waived else given

    def _ledger(self, evidence: int | None = None) -> Ledger:
        self.ledgers.append(Ledger(evidence))
        return self.ledgers[-1]

    def _token(self, subject: Token) -> None:
        self.kind = "token" if subject.is_issued else TokenKind.EVIDENCE
        request = self.request
        if request.boot_log is not None:
            raise InvalidArgumentError("--boot-log is for raw evidence; give the evidence itself")
        verdict = self.verdict = tokens.verify(
            subject.text,
            replace(request.expected, report_data=request.report_data),
            Trust(request.anchors, request.issuers, self._endorsements()),
            at=request.at,
            ledger=self._ledger(),
            submodules=subject.submodules,
            memo=request.memo,
        )
        self.kind, self.claims, self.members = verdict.kind, [verdict.evidence], verdict.to_json()
        self.policy = request.policy
        if verdict.evidence is not None:
            self.policy = request.policy or HARDWARE_ONLY
            self.nonce = base64url.decode(verdict.nonce or "")
        if self.policy is None:
            check_issuers_result(verdict)
        else:
            self.result = self._appraised(verdict, self.policy)

    def _appraised(
        self, verified: Claims | Verdict, policy: AppraisalPolicy, gpus: int | None = None
    ) -> AttestationResult:
        """Returns the result, and keeps what it comes to for evidence, refused or not."""
        outcome: AttestationResult | PolicyError
        try:
            outcome = appraise_any(verified, policy, at=self.request.at, gpus=gpus)
        except PolicyError as error:
            outcome = error
        claims = verified.evidence if isinstance(verified, Verdict) else verified
        digest = verified.guest_digest if isinstance(verified, Verdict) else None
        if claims is not None:
            self.appraisals.append(appraisal(claims, policy, outcome, digest))
        if isinstance(outcome, PolicyError):
            raise outcome
        return outcome

    def _evidence(self, pieces: tuple[Evidence, ...]) -> None:
        """Verifies every piece, so that the report says how each came out."""
        self.kind = ", ".join(dict.fromkeys(piece.type for piece in pieces))
        self.policy = self.request.policy
        expected = self.request.expected
        self.nonce = expected.nonce
        if expected.audience is not None or expected.max_age_seconds is not None:
            raise InvalidArgumentError("--audience and --max-age are for tokens")
        if self.request.boot_log is not None:
            pieces = boot_logs.attached(pieces, self.request.boot_log)
        many = len(pieces) > 1
        verified = [
            self._piece(piece, index if many else None) for index, piece in enumerate(pieces)
        ]
        gpus = gpu.count(self.claims) if many else None
        outcomes = [self._outcome(piece, gpus) for piece in verified]
        if any(self.claims):
            self.members = {
                "evidence": [claims.to_json() if claims else None for claims in self.claims]
            }
        self.result = several.summary(outcomes)

    def _piece(self, evidence: Evidence, index: int | None) -> Claims | AttestationError:
        """Returns the claims, or why there are none."""
        self.claims.append(None)
        try:
            ledger = self._ledger(index)
            claims = self._verified(evidence, ledger)
            several.check_device(claims, self.claims[:-1], ledger)
            self.claims[-1] = claims
        except (RejectedError, UnavailableError) as error:
            return error
        return claims

    def _outcome(self, verified: Claims | AttestationError, gpus: int | None) -> several.Outcome:
        """Returns the appraisal, None where there is no policy, or what went wrong."""
        if isinstance(verified, AttestationError):
            return verified
        try:
            return self._appraised(verified, self.policy, gpus) if self.policy else None
        except PolicyError as error:
            return error

    def _verified(self, evidence: Evidence, ledger: Ledger) -> Claims:
        request = self.request
        return verifier.verify(
            evidence,
            self._endorsements(),
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
            debug=any(claims.debug for claims in self.claims if claims)
            or (self.verdict is not None and any(e.debug for e in self.verdict.environments)),
            policy=self.policy.name if self.policy else None,
            result=self.result,
            error=error,
            appraisals=tuple(self.appraisals),
            nonce=self.nonce,
        )
