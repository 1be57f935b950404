"""`wasmtime-attestation doctor`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click

from wasmtime_attestation.cli import configuration, options
from wasmtime_attestation.cli.terminal import printable, slow
from wasmtime_attestation.doctor import examine, is_healthy
from wasmtime_attestation.doctor.diagnosis import Diagnosis, Outcome
from wasmtime_attestation.errors import UnavailableError

SCHEMA = 1
_WORDS = {Outcome.NOT_APPLICABLE: "-"}


@click.command("doctor")
@options.offline
@configuration.config
@options.as_json
@options.verbose
@click.pass_context
def command(ctx: click.Context, *, offline: bool, config_file: Path | None, as_json: bool) -> None:
    """Check everything that can stand in the way of an attestation, and say what to do.

    It exits 0 if nothing failed that this kind of machine needs, and 6 otherwise. What is
    marked - is of no use here.
    """
    endorsers = configuration.load(config_file, offline=offline).endorsers
    with slow("asking devices and services …"):
        diagnoses = examine(endorsers.urls, offline=endorsers.offline)
    healthy = is_healthy(diagnoses)
    if as_json:
        click.echo(json.dumps(_json(diagnoses, healthy=healthy), indent=2))
    else:
        click.echo("\n".join(map(printable, _lines(diagnoses))))
    ctx.exit(0 if healthy else UnavailableError.exit_code)


def _json(diagnoses: tuple[Diagnosis, ...], *, healthy: bool) -> dict[str, object]:
    return {
        "schema": SCHEMA,
        "healthy": healthy,
        "checks": [
            {
                "id": diagnosis.id,
                "outcome": diagnosis.finding.outcome,
                "detail": diagnosis.finding.detail,
                "remedy": diagnosis.finding.remedy,
            }
            for diagnosis in diagnoses
        ],
    }


def _lines(diagnoses: tuple[Diagnosis, ...]) -> Iterator[str]:
    for diagnosis in diagnoses:
        finding = diagnosis.finding
        outcome = _WORDS.get(finding.outcome, str(finding.outcome))
        yield f"{outcome:<8} {diagnosis.id.removeprefix('doctor.'):<14} {finding.detail}"
        if finding.remedy:
            yield f"{'':<23} -> {finding.remedy}"
    failed = sum(d.finding.outcome is Outcome.FAILED for d in diagnoses)
    warned = sum(d.finding.outcome is Outcome.WARNING for d in diagnoses)
    yield f"{failed} failed, {warned} warnings"
