"""`wasmtime-attestation inspect`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from wasmtime_attestation.claims import Json
from wasmtime_attestation.cli import options
from wasmtime_attestation.cli.report import tree
from wasmtime_attestation.cli.subject import describe

NOT_VERIFIED = "decoded, NOT VERIFIED: anyone can write such a file"


@click.command("inspect")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@options.as_json
@options.verbose
def command(*, file: Path, as_json: bool) -> None:
    """Decode a file without verifying it.

    FILE is a SEV-SNP report, certificates or revocation lists, a token, or a
    guest (component or core module).
    """
    members: dict[str, Json] = {"schema": 1, "verified": False, **describe(file)}
    if as_json:
        click.echo(json.dumps(members, indent=2))
    else:
        click.echo("\n".join(tree(members, "")))
    click.echo(NOT_VERIFIED, err=True)
