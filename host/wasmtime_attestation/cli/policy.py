"""`wasmtime-attestation policy`: the form of policies, what is in force, and learning one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import click

from wasmtime_attestation import verifier
from wasmtime_attestation.appraisal import appraise
from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.cli import given, options
from wasmtime_attestation.cli.terminal import say
from wasmtime_attestation.embedding import files
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.errors import InternalError, InvalidArgumentError, PolicyError
from wasmtime_attestation.evidence import recognise
from wasmtime_attestation.policy import load
from wasmtime_attestation.policy.in_force import show
from wasmtime_attestation.policy.learn import Known, learn
from wasmtime_attestation.policy.schema import schema
from wasmtime_attestation.verifier.expectations import Expected
from wasmtime_attestation.verifier.token import verify_token


@click.group("policy")
def command() -> None:
    """Work with appraisal policies (docs/policy.md)."""


@command.command("schema")
def schema_command() -> None:
    """Print the JSON Schema of policies, for editors and other tools."""
    click.echo(json.dumps(schema(), indent=2))


@command.command("show")
@click.argument("name", metavar="PRESET|FILE")
def show_command(*, name: str) -> None:
    """Print every setting that is in force, also where the policy does not name it."""
    click.echo(show(*given.policy_source(name)), nl=False)


@command.command("learn")
@click.argument(
    "sources",
    metavar="EVIDENCE...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
)
@options.endorsements
@options.at
@options.trust
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The policy to write; an existing file is left alone.",
)
@options.verbose
def learn_command(
    *,
    sources: tuple[Path, ...],
    endorsement_paths: tuple[Path, ...],
    at: datetime | None,
    trust: tuple[Path, ...],
    output: Path,
) -> None:
    """Write a policy that accepts this evidence and no other software, for you to review.

    Each EVIDENCE is verified first: nothing is learnt from what is not authentic.
    """
    endorsements, anchors = files.endorsements(endorsement_paths), given.anchors(trust)
    instant = at or options.now()
    known = [
        piece for source in sources for piece in _verified(source, endorsements, anchors, instant)
    ]
    lesson = learn(known, instant)
    _check(known, lesson.text, instant)
    _write_new(output, lesson.text)
    for remark in lesson.review:
        say(f"REVIEW: {remark}")
    say(f"{output}: read it before you rely on it; whether this evidence is good, nobody checked")


def _verified(
    source: Path, endorsements: Endorsements, anchors: Anchors, at: datetime
) -> Iterator[Known]:
    subject = recognise.recognise(options.read_start(source, recognise.MAX_SIZE + 1))
    if isinstance(subject, recognise.Token):
        token = verify_token(
            subject.text, Expected(), endorsements, at=at, anchors=anchors, ledger=Ledger()
        )
        for claims in token.claims:
            yield Known(str(source), claims, token.token.guest_digest)
        return
    for index, evidence in enumerate(subject):
        name = f"{source} [{index}]" if len(subject) > 1 else str(source)
        claims = verifier.verify(
            evidence,
            endorsements,
            report_data=None,
            nonce=None,
            at=at,
            anchors=anchors,
            ledger=Ledger(),
        )
        yield Known(name, claims)


def _check(known: list[Known], text: str, at: datetime) -> None:
    """Holds what is written against what it was learnt from: a mistake must not be written."""
    policy = load("learnt", text.encode())
    try:
        for piece in known:
            digest, beside = piece.guest_digest, [other.claims for other in known]
            appraise(piece.claims, policy, at=at, guest_digest=digest, beside=beside)
    except PolicyError as error:
        raise InternalError(
            f"the policy would refuse what it was learnt from ({error}): a fault of "
            "wasmtime-attestation; nothing was written"
        ) from error


def _write_new(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise InvalidArgumentError(
            f"{path} cannot be written: {error.strerror}; a policy that somebody reviewed is "
            "never overwritten"
        ) from error
