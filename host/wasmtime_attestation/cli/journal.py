"""`wasmtime-attestation journal`: what a host decided, and whether its journal is whole."""

from __future__ import annotations

import functools
import json
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar, cast

import click
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from wasmtime_attestation.cli import journal_text as text
from wasmtime_attestation.cli import options
from wasmtime_attestation.cli.terminal import printable, say
from wasmtime_attestation.endorsements import jwks
from wasmtime_attestation.endorsements.x509 import MAX_SIZE
from wasmtime_attestation.errors import InvalidArgumentError, RejectedError, UnavailableError
from wasmtime_attestation.evidence import base64url
from wasmtime_attestation.evidence.token import KeyPoint
from wasmtime_attestation.journal import reading
from wasmtime_attestation.journal.decision import Function, Verdict
from wasmtime_attestation.journal.files import listing
from wasmtime_attestation.journal.record import Head, Record
from wasmtime_attestation.journal.selection import Selection
from wasmtime_attestation.journal.summary import Summary
from wasmtime_attestation.journal.verification import Expected, verify
from wasmtime_attestation.verifier.binding import thumbprint
from wasmtime_attestation.verifier.p384 import is_p384

_POLL = 0.2
"""Seconds."""
F = TypeVar("F", bound=Callable[..., Any])


@click.group("journal")
def command() -> None:
    """Look at a host's journal of decisions, and verify it (docs/journal.md)."""


def _paths(function: F) -> F:
    return click.argument(
        "paths",
        metavar="DIR|FILE...",
        nargs=-1,
        required=True,
        type=click.Path(exists=True, path_type=Path),
    )(function)


def _filters(function: F) -> F:
    """Passes on what the filters choose as `selection`."""

    @functools.wraps(function)
    def selecting(
        *,
        guest: str | None,
        asked: str | None,
        verdict: str | None,
        since: datetime | None,
        until: datetime | None,
        **others: object,
    ) -> object:
        begin, end = (None if at is None else text.instant(at) for at in (since, until))
        return function(selection=Selection(guest, asked, verdict, begin, end), **others)

    decorated: Callable[..., object] = selecting
    for option in (
        click.option("--until", type=options.instant, metavar="TIME", help="Before this instant."),
        click.option("--since", type=options.instant, metavar="TIME", help="From this instant on."),
        click.option(
            "--verdict", type=click.Choice([str(one) for one in Verdict]), help="Answered so."
        ),
        click.option(
            "--function",
            "asked",
            type=click.Choice([str(one) for one in Function]),
            help="Asked for this.",
        ),
        click.option("--guest", metavar="DIGEST|NAME", help="Of this guest."),
    ):
        decorated = option(decorated)
    return cast("F", decorated)


@command.command("show")
@_paths
@_filters
@click.option("--limit", type=click.IntRange(1, 1_000_000), help="The last so many.")
@click.option("--summary", is_flag=True, help="Count them, and say how long they took.")
@options.as_json
@options.verbose
def show_command(
    *,
    paths: tuple[Path, ...],
    limit: int | None,
    summary: bool,
    as_json: bool,
    selection: Selection,
) -> int:
    """Print records, or a summary of the decisions."""
    broken = _Broken()
    wanted = filter(selection.takes, broken.records(_files(paths)[0]))
    with _readable():
        last = wanted if limit is None else deque(wanted, maxlen=limit)
        if summary:
            counted = Summary.of(last)
            click.echo(json.dumps(counted.to_json()) if as_json else text.summary(counted))
        else:
            for record in last:
                click.echo(_line(record, as_json=as_json), nl=False)
    return broken.exit_code()


@command.command("follow")
@click.argument(
    "directory", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@_filters
@click.option(
    "--lines", type=click.IntRange(0, 10_000), default=10, show_default=True, help="Before these."
)
@options.as_json
@options.verbose
def follow_command(*, directory: Path, lines: int, as_json: bool, selection: Selection) -> None:
    """Print the last records, and each that is added, until Ctrl-C; also across rotation."""
    with _readable():
        for place, found in reading.follow(directory, lines, lambda: time.sleep(_POLL)):
            if not isinstance(found, Record):
                say(f"{place}: {found}; run `journal verify`")
            elif selection.takes(found):
                click.echo(_line(found, as_json=as_json), nl=False)


@command.command("verify")
@_paths
@click.option(
    "--key",
    "keys",
    multiple=True,
    metavar="FILE|THUMBPRINT",
    help="A key that may sign: JWK, PEM, or its SHA-256 thumbprint; repeatable.",
)
@click.option("--head", metavar="SEQ:HASH", help="A record that must be there, noted elsewhere.")
@options.as_json
@options.verbose
def verify_command(
    *, paths: tuple[Path, ...], keys: tuple[str, ...], head: str | None, as_json: bool
) -> int:
    """Say whether a journal is whole, and name the first record that is not.

    A folder must have all its files; files that are named must follow each other. Records after
    the last checkpoint can be cut without a trace, unless --head says that there were some.
    """
    files, whole = _files(paths)
    expected = Expected(
        frozenset(map(_key, keys)) if keys else None,
        None if head is None else _head(head),
        whole,
    )
    with _readable():
        findings = verify(files, expected)
    name = str(paths[0]) if len(paths) == 1 else f"{len(paths)} files"
    if as_json:
        click.echo(json.dumps(text.as_json(name, findings)))
    else:
        click.echo("\n".join(map(printable, text.findings(name, len(files), findings))))
    for remark in text.remarks(findings, expected):
        say(remark)
    return RejectedError.exit_code if findings.problem else 0


@command.command("export")
@_paths
@_filters
@click.option(
    "--format",
    "form",
    type=click.Choice(["json", "csv", "tokens"]),
    default="json",
    show_default=True,
    help="An array, a table of the decisions, or the tokens that attest the host's keys.",
)
@options.verbose
def export_command(*, paths: tuple[Path, ...], form: str, selection: Selection) -> int:
    """Write records for other programs."""
    broken = _Broken()
    wanted = filter(selection.takes, broken.records(_files(paths)[0]))
    with _readable():
        for piece in _EXPORTS[form](wanted):
            click.echo(piece, nl=False)
    return broken.exit_code()


_EXPORTS: dict[str, Callable[[Iterator[Record]], Iterator[str]]] = {
    "json": text.array,
    "csv": text.table,
    "tokens": text.tokens,
}


class _Broken:
    """Passes records on, and tells of lines that are none."""

    def __init__(self) -> None:
        self._count = 0

    def records(self, files: list[Path]) -> Iterator[Record]:
        for place, found in reading.entries(files):
            if isinstance(found, Record):
                yield found
            else:
                self._count += 1
                if self._count == 1:
                    say(f"{place}: {found}; run `journal verify`")

    def exit_code(self) -> int:
        if self._count:
            say(f"{self._count} lines are no records, and are left out")
        return RejectedError.exit_code if self._count else 0


def _line(record: Record, *, as_json: bool) -> str:
    if as_json:
        return record.line.decode("ascii")
    return printable(text.line(record)) + "\n"


def _files(paths: tuple[Path, ...]) -> tuple[list[Path], bool]:
    """Returns the files, and whether they are a whole journal."""
    if not any(path.is_dir() for path in paths):
        return [*paths], False
    if len(paths) > 1:
        raise InvalidArgumentError("name one folder, or files that follow each other")
    files = listing(paths[0])
    if not files:
        raise InvalidArgumentError(f"{paths[0]} has no journal: there is no journal-*.jsonl")
    return files, True


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        if error.filename is None:
            raise
        raise UnavailableError(
            f"{error.filename} cannot be read: {error.strerror}; if the host removed it just now, "
            "try again"
        ) from error


def _head(value: str) -> Head:
    sequence, _, digest = value.partition(":")
    if not (sequence.isascii() and sequence.isdigit() and len(sequence) < 19):
        raise InvalidArgumentError("--head is not like 12:3f…, a number and a hash of 64 digits")
    if len(digest) != 64 or not set(digest.lower()) <= set("0123456789abcdef"):
        raise InvalidArgumentError("--head has no hash of 64 hexadecimal digits after the colon")
    return Head(int(sequence), digest.lower())


def _key(value: str) -> str:
    """Returns the thumbprint of a key, in hex."""
    if len(value) == 64 and set(value.lower()) <= set("0123456789abcdef"):
        return value.lower()
    if len(value) == 43 and not Path(value).exists():
        try:
            return base64url.decode(value).hex()
        except ValueError as error:
            raise InvalidArgumentError(f"--key {value}: {error}") from error
    try:
        (key,) = jwks.decode(options.read_file(Path(value), MAX_SIZE)).keys
    except (ValueError, RecursionError) as error:
        raise InvalidArgumentError(f"--key {value} is no single public key: {error}") from error
    if not isinstance(key.key, EllipticCurvePublicKey) or not is_p384(key.key):
        raise InvalidArgumentError(f"--key {value} is not on P-384, as every host's key is")
    numbers = key.key.public_numbers()
    return thumbprint(KeyPoint(numbers.x.to_bytes(48, "big"), numbers.y.to_bytes(48, "big"))).hex()
