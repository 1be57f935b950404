"""`wasmtime-attestation attest`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import click

from wasmtime_attestation import wit
from wasmtime_attestation.attesters.completed import Addition
from wasmtime_attestation.cli import configured, guarding, hosting, options, termination
from wasmtime_attestation.cli.terminal import slow
from wasmtime_attestation.config.endorser_settings import Settings
from wasmtime_attestation.config.host_settings import EVIDENCE
from wasmtime_attestation.embedding.host import AttestationHost
from wasmtime_attestation.errors import InvalidArgumentError
from wasmtime_attestation.evidence.token import MAX_USER_DATA
from wasmtime_attestation.issuer import NONCE_SIZE
from wasmtime_attestation.wit import Target, TargetAll, TargetGpu, TargetVm


def _target(text: str) -> Target | None:
    """None stands for the only GPU, which has to be looked for."""
    kind, _, index = text.partition(":")
    if kind == TargetGpu.case and index.isascii() and index.isdecimal() and len(index) < 10:
        return TargetGpu(int(index))
    if text in (TargetVm.case, TargetAll.case):
        return TargetVm() if text == TargetVm.case else TargetAll()
    if text == TargetGpu.case:
        return None
    raise click.BadParameter("it is none of vm, gpu, gpu:N, all")


@click.command("attest")
@click.argument("target", type=_target, metavar="vm|gpu[:N]|all")
@options.nonce
@options.audience
@click.option(
    "--user-data",
    type=options.hex_bytes(0, MAX_USER_DATA),
    metavar="HEX",
    help="Bind this to the evidence too.",
)
@configured.config
@guarding.journal_option
@options.tee
@configured.token
@options.trust_out
@options.gpus
@click.option("--boot-log", is_flag=True, help="Put the log of the boot (CCEL, TCG) into it too.")
@click.option(
    "--endorse",
    is_flag=True,
    help="Fetch what a verifier will need from the vendors, and put it into the token too.",
)
@options.offline
@click.option(
    "--record",
    "record_path",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Save evidence, endorsements and context here too, for --tee replay:FILE.",
)
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
    target: Target | None,
    nonce: bytes | None,
    audience: str | None,
    user_data: bytes | None,
    config_file: Path | None,
    tee: str | None,
    tokens: tuple[str, ...],
    journal_directory: Path | None,
    trust_out: Path | None,
    gpus: int | None,
    boot_log: bool,
    endorse: bool,
    offline: bool,
    record_path: Path | None,
    output: Path | None,
) -> None:
    """Collect fresh evidence and print the token that carries it.

    Of the virtual machine, of a GPU (gpu alone is the only one), or of everything under one
    challenge. Without --nonce the challenge is random, and only the token's age says how
    fresh it is. No guest is involved, so the token names none.
    """
    _check_files(output, trust_out, record_path)
    configuration = configured.load(
        config_file, tee=tee, token=tokens, gpus=gpus, offline=offline, journal=journal_directory
    )
    endorsers = configuration.endorsers
    additions = tuple(_additions(endorsers, boot_log=boot_log, endorse=endorse))
    if configuration.host.tokens != (EVIDENCE,) and (additions or record_path is not None):
        raise InvalidArgumentError(
            "--boot-log, --endorse and --record are for evidence tokens: use --token evidence"
        )
    challenge = wit.Challenge(nonce or os.urandom(NONCE_SIZE), user_data, audience)
    with hosting.start(configuration, trust_out, additions=additions) as host:
        if record_path is not None and host.is_replayed:
            raise InvalidArgumentError("what is replayed is a recording already: copy that file")
        chosen, token = _attested(host, target, challenge)
    if record_path is not None:
        _record(record_path, host, token, chosen, endorsers)
    if output is None:
        click.echo(token)
    else:
        options.write_file(output, f"{token}\n".encode())


def _attested(
    host: AttestationHost, target: Target | None, challenge: wit.Challenge
) -> tuple[Target, str]:
    with slow("collecting evidence …"), termination.cleaned_up():
        chosen = _only_gpu(host) if target is None else target
        return chosen, host.attest(chosen, challenge).token


def _record(
    path: Path, host: AttestationHost, token: str, target: Target, endorsers: Settings
) -> None:
    from wasmtime_attestation.cli import record  # asks vendors, as few need to

    with slow("asking vendors for endorsements ..."):
        record.save(path, host.start(), token, target, endorsers)


def _check_files(*paths: Path | None) -> None:
    named = [path for path in paths if path is not None]
    if len(set(named)) != len(named):
        raise InvalidArgumentError("two options name the same file; what is written first would go")


def _only_gpu(host: AttestationHost) -> Target:
    count = len(host.gpus())
    if count != 1:
        raise InvalidArgumentError(
            f"this machine has {count} GPUs: name one, from gpu:0 to gpu:{count - 1}, or all"
        )
    return TargetGpu(0)


def _additions(endorsers: Settings, *, boot_log: bool, endorse: bool) -> Iterator[Addition]:
    """What these need is imported only where it is asked for."""
    if boot_log:
        from wasmtime_attestation.embedding import boot_logs

        yield boot_logs.with_own
    if endorse:
        from wasmtime_attestation.cli import endorsing

        yield partial(endorsing.with_endorsements, endorsers=endorsers)
