"""Verification and appraisal as functions: what the command line does, for programs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from wasmtime_attestation.appraisal import appraise as appraise_claims
from wasmtime_attestation.appraisal.several import Outcome, summary
from wasmtime_attestation.appraisal.token import appraise_token
from wasmtime_attestation.checks import Check
from wasmtime_attestation.claims import Claims
from wasmtime_attestation.claims.verdict import Verdict
from wasmtime_attestation.embedding import files
from wasmtime_attestation.embedding.examination import Request, examine
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsements.x509 import spki_sha256
from wasmtime_attestation.endorsers.fetching import Fetched
from wasmtime_attestation.errors import InvalidArgumentError, PolicyError, RejectedError
from wasmtime_attestation.evidence.envelope import Evidence
from wasmtime_attestation.policy import AppraisalPolicy
from wasmtime_attestation.result import AttestationResult
from wasmtime_attestation.verifier.expectations import Expected, instant
from wasmtime_attestation.verifier.issuers import Issuer

Given: TypeAlias = str | bytes | Evidence | Sequence[Evidence]
"""A token; evidence in any form that the command line reads; or evidence that was collected."""
Policy: TypeAlias = AppraisalPolicy | str | os.PathLike[str]
"""A policy, the name of a preset, or the path of a file."""
Endorsing: TypeAlias = Endorsements | Fetched | Iterable[str | os.PathLike[str]]
"""Endorsements, what was fetched, or paths of files and folders that have some."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What was verified. All of it is authentic; only `result` says that a policy accepts it.

    Attributes:
        at: the instant that it was verified for.
        checks: every check and how it came out: passed, or not checked, with the reason.
        claims: what each piece of evidence says; empty for a token that carries none.
        verdict: what a token says; None of evidence.
        result: the appraisal under a policy; None where there was none.
        is_simulated: whether evidence ends at a root given by `trust`, and not at a vendor's.
    """

    at: datetime
    checks: tuple[Check, ...]
    claims: tuple[Claims, ...]
    verdict: Verdict | None
    result: AttestationResult | None
    is_simulated: bool


def verify(
    given: Given,
    *,
    nonce: bytes | None,
    at: datetime,
    report_data: bytes | None = None,
    audience: str | None = None,
    max_age_seconds: int | None = None,
    policy: Policy | None = None,
    endorsements: Endorsing = (),
    issuers: Sequence[Issuer] = (),
    trust: Iterable[bytes] = (),
    anchors: Anchors | None = None,
    boot_log: bytes | None = None,
) -> Verified:
    """Verifies a token or evidence, and appraises it. Nothing is fetched and no clock is asked.

    Args:
        given: a token of any kind; evidence: binary, hex, base64 or JSON; or what `collect`
            returned.
        nonce: the challenge that a token, or the quote of a vTPM or GPU, must answer. None does
            not check it: who does not ask for a nonce may be shown what is old.
        at: the instant at which everything must hold, with a time zone; usually
            `datetime.now(UTC)`.
        report_data: the 64 bytes that evidence must be bound to; None does not check it.
        audience: whom a token must be for.
        max_age_seconds: how long ago a token may have been issued.
        policy: what to appraise under. Without one, evidence tokens are appraised under
            `hardware-only`, tokens of services by what the service says, and evidence is not.
        endorsements: certificates, revocation lists and collateral besides what comes along;
            `fetch_endorsements` gets them.
        issuers: services whose tokens count, besides the well-known ones.
        trust: roots in PEM to trust besides the vendors'; what ends there is simulated.
        anchors: other roots in place of the vendors'.
        boot_log: the log of the boot, in place of one that came along.

    Returns:
        what was verified; a failed check raises.

    Raises:
        RejectedError: it is not authentic, or not what was expected.
        PolicyError: it is authentic, and the policy does not accept it; with every finding.
        UnavailableError: an endorsement is missing.
        InvalidArgumentError: an argument cannot be used, or does not fit what was given.
    """
    known, services = _endorsements(endorsements, issuers)
    report = examine(
        Request(
            name="given",
            data=_data(given),
            subject=_pieces(given),
            endorsements=known,
            anchors=(anchors or Anchors.of_vendors()).trusting(_roots(trust)),
            at=at,
            expected=Expected(nonce, audience, max_age_seconds),
            report_data=report_data,
            policy=None if policy is None else files.policy_of(policy),
            issuers=services,
            boot_log=boot_log,
        )
    )
    if report.error is not None:
        raise report.error
    return Verified(
        at=at,
        checks=report.checks,
        claims=report.evidence,
        verdict=report.verdict,
        result=report.result,
        is_simulated=report.simulated,
    )


def appraise(
    verified: Verified | Claims,
    policy: Policy,
    *,
    at: datetime,
    guest_digest: bytes | None = None,
) -> AttestationResult:
    """Appraises what was verified under a policy (RFC 9334: the Verifier's second half).

    Whether certificates and lists still hold was settled for `Verified.at`: to know it of another
    instant, verify again.

    Args:
        verified: what `verify` returned, or the claims of one piece of evidence.
        policy: what is accepted.
        at: the instant of the appraisal, with a time zone.
        guest_digest: SHA-256 of the guest that claims belong to; tokens name theirs.

    Returns:
        the result: affirming, or with warnings; it names what the policy left open.

    Raises:
        RejectedError: the token has expired since it was verified.
        PolicyError: the policy does not accept it; with every finding.
        InvalidArgumentError: there is no such policy, or `at` has no time zone.
    """
    if at.tzinfo is None:
        raise InvalidArgumentError(f"the instant {at.isoformat()} names no time zone; add one")
    chosen = files.policy_of(policy)
    if isinstance(verified, Claims):
        return appraise_claims(verified, chosen, at=at, guest_digest=guest_digest)
    if (verdict := verified.verdict) is not None:
        if at >= instant(verdict.expires_at):
            raise RejectedError.of("token.time", "the token has expired since; attest again")
        return appraise_token(verdict, chosen, at=at)
    beside = verified.claims if len(verified.claims) > 1 else ()

    def outcome(claims: Claims) -> Outcome:
        try:
            return appraise_claims(claims, chosen, at=at, guest_digest=guest_digest, beside=beside)
        except PolicyError as error:
            return error

    return summary([outcome(claims) for claims in verified.claims])


def _data(given: Given) -> bytes:
    if isinstance(given, str):
        return given.encode("utf-8", "backslashreplace")
    return given if isinstance(given, bytes) else b""


def _pieces(given: Given) -> tuple[Evidence, ...] | None:
    if isinstance(given, str | bytes):
        return None
    pieces = (given,) if isinstance(given, Evidence) else tuple(given)
    if not pieces:
        raise InvalidArgumentError("there is no evidence in what was given")
    return pieces


def _endorsements(
    given: Endorsing, issuers: Sequence[Issuer]
) -> tuple[Endorsements, tuple[Issuer, ...]]:
    if isinstance(given, Endorsements):
        return given, tuple(issuers)
    if isinstance(given, Fetched):
        return given.endorsements, (*given.issuers, *issuers)
    return files.endorsements(Path(path) for path in given), tuple(issuers)


def _roots(trust: Iterable[bytes]) -> list[bytes]:
    found = Endorsements.from_files([("trust", root) for root in trust]).certificates
    return [spki_sha256(certificate) for certificate in found]
