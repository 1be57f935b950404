"""`wasmtime-attestation verify`."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import click

from wasmtime_attestation.cli import batch, configuration, fetching, given, nonce_use, options
from wasmtime_attestation.cli.ear import EarOutput
from wasmtime_attestation.cli.report import as_json_text, as_text, remarks
from wasmtime_attestation.cli.terminal import say
from wasmtime_attestation.embedding import files
from wasmtime_attestation.embedding.examination import Request, examine
from wasmtime_attestation.embedding.report import Report
from wasmtime_attestation.evidence import recognise
from wasmtime_attestation.evidence.boot_log import MAX_SIZE as MAX_BOOT_LOG
from wasmtime_attestation.nonces import place
from wasmtime_attestation.verifier.expectations import Expected


@click.command("verify")
@click.argument(
    "source",
    metavar="INPUT|-",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
    required=False,
)
@click.option(
    "--batch",
    "batch_path",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
    metavar="FILE|-",
    help="Verify every line of a JSONL file (docs/batch.md) and print a JSON report for each.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1, max=256),
    metavar="N",
    help="Processes for --batch; as many as there are processors without it.",
)
@options.endorsements
@options.at
@options.nonce
@click.option(
    "--report-data",
    type=options.hex_bytes(64, 64),
    metavar="HEX",
    help="What REPORT_DATA of raw evidence must be.",
)
@click.option(
    "--boot-log",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The log of the boot (TCG or CCEL), to replay against the quote's registers.",
)
@options.audience
@click.option(
    "--max-age",
    type=click.IntRange(min=0),
    metavar="SECONDS",
    help="How long ago the token may have been issued.",
)
@click.option(
    "--nonce-record",
    metavar="FILE|redis://...|redis|none",
    help="Accept the token only if no token with --nonce was accepted before, and record it; "
    "redis is the server of [cache] redis, none records nothing.",
)
@options.trust
@click.option(
    "--issuer",
    "issuer_paths",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    metavar="FILE",
    help="A service whose tokens count, described in TOML; may be given more than once.",
)
@click.option(
    "--policy",
    "policy_name",
    metavar="FILE|PRESET",
    help="Appraise under this policy; tokens are appraised under hardware-only without it.",
)
@click.option(
    "--issue-ear",
    "ear_path",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write what was found as an EAT Attestation Result, unless the evidence is rejected.",
)
@click.option(
    "--ear-key",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The private key on P-384, in PEM, that signs it.",
)
@options.offline
@configuration.config
@click.option(
    "--explain",
    is_flag=True,
    help="Say of each check what it requires, what its failure means, what to do, and the source.",
)
@options.as_json
@options.verbose
@click.pass_context
def command(
    ctx: click.Context,
    *,
    source: Path | None,
    batch_path: Path | None,
    workers: int | None,
    endorsement_paths: tuple[Path, ...],
    at: datetime | None,
    nonce: bytes | None,
    report_data: bytes | None,
    boot_log: Path | None,
    audience: str | None,
    max_age: int | None,
    nonce_record: str | None,
    trust: tuple[Path, ...],
    issuer_paths: tuple[Path, ...],
    policy_name: str | None,
    ear_path: Path | None,
    ear_key: Path | None,
    offline: bool,
    config_file: Path | None,
    explain: bool,
    as_json: bool,
) -> None:
    """Verify a token or raw evidence, and say what was checked.

    INPUT is an evidence token; a token of Azure Attestation, Intel Trust Authority, NVIDIA's
    service (NRAS) or another Verifier (EAR); a SEV-SNP report, a TDX quote or evidence of an
    Azure confidential VM: binary, hex, base64 or JSON. What is missing of vendors' endorsements
    is fetched from them and kept (docs/endorsements.md), for one INPUT.
    """
    if (source is None) is (batch_path is None):
        missing = "Missing argument 'INPUT|-' or option '--batch'"
        raise click.UsageError(
            f"{missing}." if source is None else "INPUT and --batch exclude each other."
        )
    if workers is not None and batch_path is None:
        raise click.UsageError("--workers is for --batch.")
    if batch_path is not None and ear_path is not None:
        raise click.UsageError("--issue-ear is for one INPUT, not for --batch.")
    if nonce_record not in (None, place.NOWHERE) and nonce is None:
        raise click.UsageError("--nonce-record needs --nonce: the challenge that you sent.")
    chosen = configuration.load(config_file, offline=offline, nonce_record=nonce_record)
    record = nonce_use.record(chosen.cache, nonce, at=at, is_batch=batch_path is not None)
    output = EarOutput.of(ear_path, ear_key)
    if explain and batch_path is not None:
        raise click.UsageError("--explain is for one INPUT; docs/checks.md explains every check.")
    request = Request(
        name=str(source or batch_path),
        # One byte more than is allowed, so that the verification itself refuses it.
        data=options.read_start(source, recognise.MAX_SIZE + 1) if source else b"",
        endorsements=files.endorsements(endorsement_paths),
        anchors=given.anchors(trust),
        at=at or options.now(),
        expected=Expected(nonce, audience, max_age),
        report_data=report_data,
        policy=None if policy_name is None else given.policy(policy_name),
        issuers=files.issuers(issuer_paths),
        boot_log=None if boot_log is None else options.read_file(boot_log, MAX_BOOT_LOG),
    )
    if batch_path is not None:
        with options.open_input(batch_path) as file:
            ctx.exit(batch.run(file, request, workers or batch.available_workers()))
    report = examine(fetching.completed(request, chosen.endorsers))
    if record is not None and nonce is not None:
        report = nonce_use.used(report, nonce, record)
    _print(report, as_json=as_json, explain=explain)
    if output is not None:
        output.write(report)
    ctx.exit(report.exit_code)


def _print(report: Report, *, as_json: bool, explain: bool) -> None:
    if as_json:
        click.echo(json.dumps(as_json_text(report, explain=explain), indent=2))
    else:
        click.echo(as_text(report, explain=explain))
    for line in remarks(report):
        say(line)
