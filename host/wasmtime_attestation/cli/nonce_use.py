"""`verify --nonce-record`: a token is accepted only if its nonce was not used before."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import click

from wasmtime_attestation.cache.settings import Settings
from wasmtime_attestation.checks import Check, Outcome
from wasmtime_attestation.embedding.report import Report
from wasmtime_attestation.errors import InvalidArgumentError, RejectedError, UnavailableError
from wasmtime_attestation.nonces import NonceRecord, place
from wasmtime_attestation.nonces.once import CHECK, use_once

_OFF = "; --nonce-record none records nothing"


def record(
    cache: Settings, nonce: bytes | None, *, at: datetime | None, is_batch: bool
) -> NonceRecord | None:
    """Returns the record that is configured; None where there is none, or no nonce to use.

    Raises:
        click.UsageError: the nonce could not be used now, and once.
        InvalidArgumentError: there is no such record.
        UnsupportedError: it is on Redis, and the extra is not installed.
    """
    if nonce is None or cache.nonce_record in (None, place.NOWHERE):
        return None
    if is_batch:
        raise click.UsageError(f"--nonce-record is for one INPUT, not for --batch{_OFF}.")
    if at is not None:
        raise click.UsageError(
            f"--nonce-record and --at exclude each other: nonces are used now{_OFF}."
        )
    return place.record(cache.nonce_record, cache.redis)


def used(report: Report, nonce: bytes, record: NonceRecord) -> Report:
    """Uses the nonce of a token that would be accepted, and returns what that comes to.

    A token that is refused uses nothing: else whoever sends rubbish could use up the challenge.

    Args:
        report: what was found.
        nonce: the challenge, which the token answers.
        record: of nonces that were used.

    Raises:
        InvalidArgumentError: it is no token, which alone says until when it could be accepted.
    """
    if report.error is not None:
        return report
    if report.expires_at is None:
        raise InvalidArgumentError(f"--nonce-record is for tokens{_OFF}")
    if (CHECK, Outcome.PASSED) not in {(check.id, check.outcome) for check in report.checks}:
        raise InvalidArgumentError(f"--nonce-record is for tokens that answer a nonce{_OFF}")
    try:
        use_once(record, nonce, report.expires_at)
    except UnavailableError as error:
        return _failed(report, Outcome.NOT_CHECKED, error)
    except RejectedError as error:
        return _failed(report, Outcome.FAILED, error)
    return report


def _failed(report: Report, outcome: Outcome, error: RejectedError | UnavailableError) -> Report:
    detail = error.findings[0].detail if isinstance(error, RejectedError) else error.message
    checks = tuple(
        Check(check.id, outcome, detail, check.evidence) if check.id == CHECK else check
        for check in report.checks
    )
    return replace(report, checks=checks, error=error, result=None, appraisals=())
