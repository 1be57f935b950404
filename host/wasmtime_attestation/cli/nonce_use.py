"""`verify --nonce-record`: a token is accepted only if its nonce was not used before."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import click

from wasmtime_attestation.checks import Check, Outcome
from wasmtime_attestation.cli.report import Report
from wasmtime_attestation.errors import InvalidArgumentError, RejectedError, UnavailableError
from wasmtime_attestation.nonces import NonceRecord

_CHECK = "token.nonce"
_SKEW = 300
"""Seconds by which clocks of relying parties that share a record may differ."""


def check_options(nonce: bytes | None, *, at: datetime | None, is_batch: bool) -> None:
    """Refuses options beside which a record has no meaning.

    Raises:
        click.UsageError: the nonce is not given, or is not used now.
    """
    if is_batch:
        raise click.UsageError("--nonce-record is for one INPUT, not for --batch.")
    if nonce is None:
        raise click.UsageError("--nonce-record needs --nonce: the challenge that you sent.")
    if at is not None:
        raise click.UsageError("--nonce-record and --at exclude each other: nonces are used now.")


def used(report: Report, nonce: bytes, where: str) -> Report:
    """Uses the nonce of a token that would be accepted, and returns what that comes to.

    A token that is refused uses nothing: else whoever sends rubbish could use up the challenge.

    Args:
        report: what was found.
        nonce: the challenge, which the token answers.
        where: the record: a file, or the address of a Redis server.

    Raises:
        InvalidArgumentError: it is no token, which alone says until when it could be accepted.
    """
    if report.error is not None:
        return report
    if report.expires_at is None:
        raise InvalidArgumentError("--nonce-record is for tokens")
    if (_CHECK, Outcome.PASSED) not in {(check.id, check.outcome) for check in report.checks}:
        raise InvalidArgumentError("--nonce-record is for tokens that answer a nonce")
    try:
        is_first = _record(where).use(nonce, report.expires_at + _SKEW)
    except UnavailableError as error:
        return _failed(report, Outcome.NOT_CHECKED, str(error), error)
    if is_first:
        return report
    detail = "a token with this nonce was accepted before: it is a replay"
    return _failed(report, Outcome.FAILED, detail, RejectedError.of(_CHECK, detail))


def _record(where: str) -> NonceRecord:
    from wasmtime_attestation.cache.redis_server import RedisServer, is_address

    if is_address(where):
        from wasmtime_attestation.nonces.redis import RedisNonces

        return RedisNonces(RedisServer(where))
    from wasmtime_attestation.nonces.file import FileNonces

    return FileNonces(Path(where))


def _failed(
    report: Report, outcome: Outcome, detail: str, error: RejectedError | UnavailableError
) -> Report:
    checks = tuple(
        Check(check.id, outcome, detail, check.evidence) if check.id == _CHECK else check
        for check in report.checks
    )
    return replace(report, checks=checks, error=error, result=None, appraisals=())
