"""`wasmtime-attestation verify`."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from pathlib import Path

import click

from wasmtime_attestation.cli import batch, options
from wasmtime_attestation.cli.report import Report, as_json_text, as_text
from wasmtime_attestation.cli.terminal import say
from wasmtime_attestation.cli.verification import Request, examine
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsements.x509 import MAX_SIZE, spki_sha256
from wasmtime_attestation.errors import InvalidArgumentError
from wasmtime_attestation.evidence import recognise
from wasmtime_attestation.policy import MAX_SIZE as MAX_POLICY
from wasmtime_attestation.policy import PRESETS, AppraisalPolicy, load
from wasmtime_attestation.verifier.token import Expected

log = logging.getLogger(__name__)
MAX_FILES = 1000
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


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
@click.option(
    "--endorsements",
    "endorsement_paths",
    type=click.Path(exists=True, path_type=Path),
    multiple=True,
    metavar="FILE|DIR",
    help="Certificates, revocation lists, Intel's collateral; may be given more than once.",
)
@click.option("--at", type=options.instant, help="Verify as of this instant instead of now.")
@options.nonce
@click.option(
    "--report-data",
    type=options.hex_bytes(64, 64),
    metavar="HEX",
    help="What REPORT_DATA of raw evidence must be.",
)
@options.audience
@click.option(
    "--max-age",
    type=click.IntRange(min=0),
    metavar="SECONDS",
    help="How long ago the token may have been issued.",
)
@click.option(
    "--trust",
    type=_FILE,
    multiple=True,
    metavar="FILE",
    help="A root (PEM) to trust besides the vendors'; what ends there is SIMULATED.",
)
@click.option(
    "--policy",
    "policy_name",
    metavar="FILE|PRESET",
    help="Appraise under this policy; tokens are appraised under hardware-only without it.",
)
@click.option("--offline", is_flag=True, help="Fetch nothing. This release never fetches anything.")
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
    audience: str | None,
    max_age: int | None,
    trust: tuple[Path, ...],
    policy_name: str | None,
    offline: bool,
    as_json: bool,
) -> None:
    """Verify a token or raw evidence, and say what was checked.

    INPUT is an evidence token, a SEV-SNP report or a TDX quote: binary, hex or base64.
    """
    del offline
    if (source is None) is (batch_path is None):
        missing = "Missing argument 'INPUT|-' or option '--batch'"
        raise click.UsageError(
            f"{missing}." if source is None else "INPUT and --batch exclude each other."
        )
    if workers is not None and batch_path is None:
        raise click.UsageError("--workers is for --batch.")
    request = Request(
        name=str(source or batch_path),
        # One byte more than is allowed, so that the verification itself refuses it.
        data=options.read_start(source, recognise.MAX_SIZE + 1) if source else b"",
        endorsements=_endorsements(endorsement_paths),
        anchors=_anchors(trust),
        at=at or datetime.now(UTC).replace(microsecond=0),
        expected=Expected(nonce, audience, max_age),
        report_data=report_data,
        policy=_policy(policy_name),
    )
    if batch_path is not None:
        with options.open_input(batch_path) as file:
            ctx.exit(batch.run(file, request, workers or batch.available_workers()))
    report = examine(request)
    _print(report, as_json=as_json)
    ctx.exit(report.exit_code)


def _print(report: Report, *, as_json: bool) -> None:
    click.echo(json.dumps(as_json_text(report), indent=2) if as_json else as_text(report))
    for line in report.remarks:
        say(line)


def _endorsements(paths: tuple[Path, ...]) -> Endorsements:
    found = Endorsements()
    for path in paths:
        found += _folder(path) if path.is_dir() else _endorsement_file(path)
    found.check_size()
    return found


def _endorsement_file(path: Path) -> Endorsements:
    return Endorsements.from_files([(str(path), options.read_file(path, MAX_SIZE))])


def _folder(folder: Path) -> Endorsements:
    """Takes what a folder has; files that are no endorsements may stand there too."""
    try:
        files = sorted(entry for entry in folder.iterdir() if entry.is_file())
    except OSError as error:
        raise InvalidArgumentError(f"{folder} cannot be read: {error.strerror}") from error
    if len(files) > MAX_FILES:
        raise InvalidArgumentError(
            f"{folder} has more than {MAX_FILES} files; name the ones to use"
        )
    found = Endorsements()
    for file in files:
        try:
            found += _endorsement_file(file)
        except InvalidArgumentError as error:
            log.info("left out: %s", error)
    if not found:
        raise InvalidArgumentError(
            f"{folder} has no certificate, revocation list or collateral in it"
        )
    return found


def _anchors(trust: tuple[Path, ...]) -> Anchors:
    return Anchors.of_vendors().trusting([root for path in trust for root in _roots(path)])


def _roots(path: Path) -> list[bytes]:
    found = Endorsements.from_files([(str(path), options.read_file(path, MAX_SIZE))])
    if not found.certificates:
        raise InvalidArgumentError(f"--trust {path}: there is no certificate in it")
    return [spki_sha256(certificate) for certificate in found.certificates]


def _policy(name: str | None) -> AppraisalPolicy | None:
    if name is None:
        return None
    if name in PRESETS:
        return PRESETS[name]
    try:
        data = options.read_file(Path(name), MAX_POLICY)
    except InvalidArgumentError as error:
        raise InvalidArgumentError(
            f"--policy takes a file or a preset ({', '.join(PRESETS)}): {error}"
        ) from error
    return load(Path(name).stem, data)
