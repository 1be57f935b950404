"""One verification from input to report, of a token or evidence, for programs and the tool."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from wasmtime_attestation import verifier
from wasmtime_attestation.appraisal import appraise
from wasmtime_attestation.appraisal.several import Outcome, summary
from wasmtime_attestation.appraisal.token import (
    appraise_each,
    appraise_token,
    check_issuers_result,
)
from wasmtime_attestation.appraisal.trustworthiness import Appraisal, appraisal
from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.claims import Claims
from wasmtime_attestation.claims.verdict import TokenKind, Verdict
from wasmtime_attestation.embedding import boot_logs
from wasmtime_attestation.embedding.report import Report
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
from wasmtime_attestation.verifier.pieces import authentic, verify_each
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
        missing: what could not be fetched, and why: said where an endorsement is missing.
        subject: the input, where it is recognised already and `data` is empty.
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
    missing: tuple[str, ...] = ()
    subject: tuple[Evidence, ...] | None = None


def examine(request: Request) -> Report:
    """Verifies and appraises; each outcome is a report.

    Raises:
        InvalidArgumentError: an option does not fit the kind of input.
    """
    examination = _Examination(request)
    try:
        examination.run()
    except UnavailableError as error:
        return examination.report(_with_reasons(error, request.missing))
    except (RejectedError, PolicyError) as error:
        return examination.report(error)
    return examination.report(None)


def _with_reasons(error: UnavailableError, missing: Sequence[str]) -> UnavailableError:
    """Adds why what is missing was not fetched."""
    if not missing:
        return error
    return UnavailableError(f"{error}; not fetched: {'; '.join(missing)}")


@dataclass(slots=True)
class _Examination:
    """Gathers what a report needs while the verification runs."""

    request: Request
    ledger: Ledger = field(default_factory=Ledger)
    kind: str = "unknown"
    claims: tuple[Claims, ...] = ()
    members: dict[str, Json] | None = None
    verdict: Verdict | None = None
    policy: AppraisalPolicy | None = None
    result: AttestationResult | None = None
    appraisals: tuple[Appraisal, ...] = ()
    nonce: bytes | None = None

    def run(self) -> None:
        try:
            subject = self.request.subject or recognise(self.request.data)
        except RejectedError as error:
            self.ledger.record(error.findings[0])
            raise
        if isinstance(subject, Token):
            self._token(subject)
        elif self.request.must_be_token:
            # Evidence alone is not appraised without a policy, and a token always is.
            self.ledger.reject("input.format", "this is evidence, not a token")
        else:
            self._evidence(subject)

    def _endorsements(self) -> Endorsements:
        """Returns what was given; the policy says what of it may be missing."""
        policy = self.request.policy
        given = self.request.endorsements
        return given.waiving(policy.waived) if policy and policy.waived else given

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
            ledger=self.ledger,
            submodules=subject.submodules,
            memo=request.memo,
        )
        self.kind, self.members = verdict.kind, verdict.to_json()
        self.claims, self.policy = verdict.evidence, request.policy
        if verdict.evidence:
            self.policy = request.policy or HARDWARE_ONLY
            self.nonce = base64url.decode(verdict.nonce or "")
            outcomes = [*appraise_each(verdict, self.policy, at=request.at)]
            self.result = self._summary(outcomes, self.policy, verdict.guest_digest)
        elif self.policy is None:
            check_issuers_result(verdict)
        else:
            self.result = appraise_token(verdict, self.policy, at=request.at)

    def _summary(
        self, outcomes: Sequence[Outcome], policy: AppraisalPolicy, guest_digest: bytes | None
    ) -> AttestationResult:
        """Returns one result, and keeps what each appraisal comes to, refused or not."""
        self.appraisals = tuple(
            appraisal(claims, policy, outcome, guest_digest)
            for claims, outcome in zip(self.claims, outcomes, strict=True)
        )
        return summary(outcomes)

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
        found = verify_each(pieces, self.ledger, self._verified)
        self.claims = tuple(piece for piece in found if isinstance(piece, Claims))
        if self.claims:
            self.members = {
                "evidence": [p.to_json() if isinstance(p, Claims) else None for p in found]
            }
        authentic(found)
        if self.policy is not None:
            outcomes = [self._outcome(claims, self.policy) for claims in self.claims]
            self.result = self._summary(outcomes, self.policy, None)

    def _outcome(self, claims: Claims, policy: AppraisalPolicy) -> Outcome:
        beside = self.claims if len(self.claims) > 1 else ()
        try:
            return appraise(claims, policy, at=self.request.at, guest_digest=None, beside=beside)
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
            checks=self.ledger.checks,
            claims=self.members,
            simulated=any(claims.simulated for claims in self.claims),
            debug=any(claims.debug for claims in self.claims)
            or (self.verdict is not None and any(e.debug for e in self.verdict.environments)),
            policy=self.policy.name if self.policy else None,
            result=self.result,
            error=error,
            appraisals=self.appraisals,
            nonce=self.nonce,
            expires_at=self.verdict.expires_at if self.verdict else None,
            evidence=self.claims,
            verdict=self.verdict,
        )
