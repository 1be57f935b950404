"""`wasmtime-attestation attest`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from wasmtime_attestation import wit
from wasmtime_attestation.cli import host, options
from wasmtime_attestation.errors import InvalidArgumentError
from wasmtime_attestation.evidence.token import MAX_USER_DATA
from wasmtime_attestation.issuer import NONCE_SIZE
from wasmtime_attestation.wit import Target, TargetAll, TargetGpu, TargetVm


def _target(text: str) -> Target:
    kind, _, index = text.partition(":")
    if kind == TargetGpu.case and index.isdecimal() and len(index) < 10:
        return TargetGpu(int(index))
    if text in (TargetVm.case, TargetAll.case):
        return TargetVm() if text == TargetVm.case else TargetAll()
    raise click.BadParameter("it is none of vm, gpu:N, all")


@click.command("attest")
@click.argument("target", type=_target, metavar="vm|gpu:N|all")
@options.nonce
@options.audience
@click.option(
    "--user-data",
    type=options.hex_bytes(0, MAX_USER_DATA),
    metavar="HEX",
    help="Bind this to the evidence too.",
)
@options.tee
@options.trust_out
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the token here instead of to standard output.",
)
@options.verbose
def command(
    *,
    target: Target,
    nonce: bytes | None,
    audience: str | None,
    user_data: bytes | None,
    tee: str,
    trust_out: Path | None,
    output: Path | None,
) -> None:
    """Collect fresh evidence and print the token that carries it.

    Without --nonce the challenge is random, and only the token's age says how
    fresh it is. No guest is involved, so the token names none.
    """
    if output is not None and output == trust_out:
        raise InvalidArgumentError("-o and --trust-out name the same file; the second would go")
    service = host.start(host.HostOptions(tee, trust_out))
    challenge = wit.Challenge(nonce or os.urandom(NONCE_SIZE), user_data, audience)
    token = service.for_guest(None).attest(target, challenge).token
    if output is None:
        click.echo(token)
    else:
        options.write_file(output, f"{token}\n".encode())
