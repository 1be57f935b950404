"""Opens the journal and reads the rules that `run` and `attest` were given."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from wasmtime_attestation import wit
from wasmtime_attestation.capabilities import settings as capabilities
from wasmtime_attestation.cli import options
from wasmtime_attestation.cli.terminal import say
from wasmtime_attestation.errors import UnavailableError, UnsupportedError
from wasmtime_attestation.journal.settings import Settings as JournalSettings
from wasmtime_attestation.journal.writer import Journal
from wasmtime_attestation.policy.source import MAX_SIZE
from wasmtime_attestation.service import AttestationService


def journal_option(function: options.F) -> options.F:
    """--journal DIR."""
    return click.option(
        "--journal",
        "journal_directory",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIR",
        help="Record every decision here, in a chain that this host's key signs.",
    )(function)


def guests_option(function: options.F) -> options.F:
    """--guests FILE."""
    return click.option(
        "--guests",
        "guests_file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Rules that say what the guest may do (TOML, [guests]).",
    )(function)


def rules(file: Path | None) -> capabilities.Settings:
    """Reads the rules for guests; those that hold where there is no file.

    Raises:
        InvalidArgumentError: the file cannot be read, or is wrong; the message says where.
    """
    if file is None:
        return capabilities.Settings()
    return capabilities.load(str(file), options.read_file(file, MAX_SIZE))


@contextmanager
def journal(
    settings: JournalSettings, service: AttestationService, *, replays: bool
) -> Iterator[Journal | None]:
    """Opens the journal of a host and records a token that attests its key, where there is a TEE.

    Args:
        settings: how it is kept; none is where they name no folder.
        service: the host, whose key signs.
        replays: whether the host replays a recording, which attests no key.

    Raises:
        InvalidArgumentError: others may write the folder.
        UnavailableError: another process writes there, or nothing can be written.
        InternalError: the journal was changed, or cannot be written.
    """
    if settings.directory is None:
        yield None
        return
    with Journal(settings, service.issuer) as opened:
        if not replays and service.detect_tee().supports_attestation:
            _attest(opened, service)
        yield opened


def _attest(journal: Journal, service: AttestationService) -> None:
    def issue(nonce: bytes, audience: str) -> str:
        challenge = wit.Challenge(nonce, None, audience)
        return service.attest_host(None, wit.TargetVm(), challenge).token

    try:
        journal.attest(issue)
    except (UnsupportedError, UnavailableError) as error:
        say(f"the journal's key is not attested: {error}")
