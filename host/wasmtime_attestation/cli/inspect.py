"""`wasmtime-attestation inspect`."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from wasmtime_attestation.cli import INTERRUPTED, options
from wasmtime_attestation.cli.report import tree
from wasmtime_attestation.cli.subject import describe
from wasmtime_attestation.cli.terminal import flush, printable, say, slow
from wasmtime_attestation.evidence.strict_json import Json
from wasmtime_attestation.world.worker import Worker

NOT_VERIFIED = "decoded, NOT VERIFIED: anyone can write such a file"


@click.command("inspect")
@click.argument(
    "file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)
)
@options.as_json
@options.verbose
def command(*, file: Path, as_json: bool) -> None:
    """Decode a file without verifying it.

    FILE is a SEV-SNP report, certificates or revocation lists, a token, or a
    guest (component or core module).
    """
    members: dict[str, Json] = {"schema": 1, "verified": False, **_described(file)}
    if as_json:
        click.echo(json.dumps(members, indent=2))
    else:
        click.echo("\n".join(map(printable, tree(members, ""))))
    say(NOT_VERIFIED)


def _described(file: Path) -> dict[str, Json]:
    """In a thread: a large guest takes seconds, in which Ctrl-C must work."""
    worker = Worker(lambda: describe(file))
    with slow(f"decoding {file.name} …"):
        worker.start()
        try:
            worker.wait()
        except KeyboardInterrupt:
            flush()
            os._exit(INTERRUPTED)
    return worker.result()
