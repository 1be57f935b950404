"""`verify --issue-ear`: what was found, as an attestation result for others."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from wasmtime_attestation.cli import options
from wasmtime_attestation.cli.terminal import say
from wasmtime_attestation.ear_issuer import MAX_KEY, EarIssuer
from wasmtime_attestation.embedding.report import Report
from wasmtime_attestation.errors import InvalidArgumentError, PolicyError


@dataclass(frozen=True, slots=True)
class EarOutput:
    """Where an attestation result goes, and what signs it."""

    path: Path
    issuer: EarIssuer

    @classmethod
    def of(cls, path: Path | None, key: Path | None) -> EarOutput | None:
        """Reads the key; None where no result is asked for.

        Raises:
            UsageError: one option is there without the other.
            InvalidArgumentError: the key cannot be used.
        """
        if path is None and key is None:
            return None
        if path is None or key is None:
            raise click.UsageError("--issue-ear and --ear-key need each other.")
        try:
            return cls(path, EarIssuer.from_pem(options.read_file(key, MAX_KEY)))
        except InvalidArgumentError as error:
            raise InvalidArgumentError(f"--ear-key {key}: {error}") from error

    def write(self, report: Report) -> None:
        """Issues a result, unless the evidence is not authentic or could not be verified.

        Raises:
            InvalidArgumentError: nothing was appraised that a result could be about.
        """
        if report.error is not None and not isinstance(report.error, PolicyError):
            say("no attestation result is issued: the evidence is not verified")
            return
        if not report.appraisals:
            raise InvalidArgumentError(
                "--issue-ear is for evidence and evidence tokens, appraised: give a --policy"
            )
        token = self.issuer.issue(
            report.appraisals, now=int(report.at.timestamp()), nonce=report.nonce
        )
        options.write_file(self.path, f"{token}\n".encode("ascii"))
