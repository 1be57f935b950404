"""`--config FILE`, and what is in force with the options that were given."""

from __future__ import annotations

import os
from pathlib import Path

import click

from wasmtime_attestation.cli import options
from wasmtime_attestation.config import Configuration
from wasmtime_attestation.config.assembly import assemble
from wasmtime_attestation.policy.table import Json


def config(function: options.F) -> options.F:
    """--config FILE."""
    return click.option(
        "--config",
        "config_file",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="The host's configuration (docs/production.md).",
    )(function)


def load(config_file: Path | None, **given: Json) -> Configuration:
    """Reads what is in force.

    Args:
        config_file: the file of `--config`.
        given: values of options by their names, with _ for -; those that are None, False or
            empty were not given.

    Raises:
        InvalidArgumentError: something makes no sense; the message says where it is written.
    """
    values = {
        f"--{name.replace('_', '-')}": _plain(value)
        for name, value in given.items()
        if value is not False and (value or value == 0)
    }
    return assemble(config_file, values, os.environ).configuration


def _plain(value: Json) -> Json:
    if isinstance(value, tuple):
        return [str(each) for each in value]
    return str(value) if isinstance(value, Path) else value
