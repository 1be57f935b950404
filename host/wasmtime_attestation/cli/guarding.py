"""The options that name a journal and rules for guests, and reading these."""

from __future__ import annotations

from pathlib import Path

import click

from wasmtime_attestation.capabilities import settings as capabilities
from wasmtime_attestation.cli import options
from wasmtime_attestation.policy.source import MAX_SIZE


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
