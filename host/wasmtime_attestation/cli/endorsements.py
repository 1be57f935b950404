"""`wasmtime-attestation endorsements`: fetch what a verifier needs, and show what there is."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import click

from wasmtime_attestation.cli import (
    bundle_folder,
    bundle_report,
    configuration,
    options,
)
from wasmtime_attestation.cli.terminal import say
from wasmtime_attestation.embedding import files
from wasmtime_attestation.embedding.fetching import fetch_for
from wasmtime_attestation.errors import UnavailableError
from wasmtime_attestation.evidence.recognise import MAX_SIZE, recognise


@click.group("endorsements")
def command() -> None:
    """Fetch vendors' endorsements into a bundle, and show bundles (docs/endorsements.md)."""


@command.command("fetch")
@click.argument(
    "source",
    metavar="EVIDENCE|TOKEN|-",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
)
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    metavar="BUNDLE",
    help="The folder to put them into, for `verify --endorsements`; it is made if need be.",
)
@options.endorsements
@options.at
@click.option(
    "--issuer",
    "issuer_paths",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    metavar="FILE",
    help="A service whose tokens count, described in TOML, whose keys are to be fetched.",
)
@options.offline
@configuration.config
@options.verbose
@click.pass_context
def fetch_command(
    ctx: click.Context,
    *,
    source: Path,
    output: Path,
    endorsement_paths: tuple[Path, ...],
    at: datetime | None,
    issuer_paths: tuple[Path, ...],
    offline: bool,
    config_file: Path | None,
) -> None:
    """Fetch everything that verifying EVIDENCE or TOKEN needs of vendors, for later, offline.

    What comes with it or is given by --endorsements is not fetched. Where something cannot be
    had, the rest is written all the same, and the exit code is 6.
    """
    endorsers = configuration.load(config_file, offline=offline).endorsers
    fetched = fetch_for(
        recognise(options.read_file(source, MAX_SIZE)),
        files.endorsements(endorsement_paths),
        files.issuers(issuer_paths),
        endorsers,
        at=at or options.now(),
        progress=say,
    )
    for path in bundle_folder.write(output, fetched.pieces):
        click.echo(str(path))
    if not fetched.pieces and not fetched.missing:
        say("nothing is missing: everything came with it, or was given")
    for missing in fetched.missing:
        say(f"missing: {missing}")
    if fetched.missing:
        ctx.exit(UnavailableError.exit_code)


@command.command("show")
@click.argument("bundle", metavar="BUNDLE", type=click.Path(exists=True, path_type=Path))
@options.at
@options.as_json
def show_command(*, bundle: Path, at: datetime | None, as_json: bool) -> None:
    """Show what BUNDLE, a folder or a file, holds: of whom, until when, and for what evidence.

    Nothing of it is verified: endorsements prove themselves when evidence is verified with them.
    """
    items = bundle_report.items(files.named_endorsements(bundle))
    if as_json:
        members = [item.to_json() for item in items]
        click.echo(json.dumps({"bundle": str(bundle), "endorsements": members}, indent=2))
        return
    for line in bundle_report.lines(items, at or options.now()):
        click.echo(line)
