"""`wasmtime-attestation redact`."""

from __future__ import annotations

from pathlib import Path

import click

from wasmtime_attestation.attesters import recording_file
from wasmtime_attestation.attesters.redaction import redact
from wasmtime_attestation.cli import options
from wasmtime_attestation.cli.terminal import say


@click.command("redact")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    metavar="FILE",
    help="Write the redacted recording here.",
)
@options.verbose
def command(*, file: Path, output: Path) -> None:
    """Take chip ids, VM ids and serial numbers out of a recording (attest --record).

    It still replays (--tee replay:FILE), and what is in it no longer verifies: the ids are
    signed. What was removed is printed. Nonce, audience, user data, measurements and versions
    stay.
    """
    redacted = redact(recording_file.read(file))
    recording_file.write(output, redacted)
    for remark in redacted.recorded.redacted:
        say(f"removed: {remark}")
    say("REDACTED: this recording replays, and no evidence in it verifies")
