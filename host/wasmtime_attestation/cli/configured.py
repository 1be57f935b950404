"""Options that say what configuration `attest` and `run` work with, and what that comes to."""

from __future__ import annotations

import click

from wasmtime_attestation.cli import options
from wasmtime_attestation.cli.configuration import config as config
from wasmtime_attestation.cli.configuration import load as load
from wasmtime_attestation.config.host_settings import TOKENS


def token(function: options.F) -> options.F:
    """--token KIND, repeatable."""
    return click.option(
        "--token",
        "tokens",
        type=click.Choice(TOKENS),
        multiple=True,
        help="The kind of token to get; repeated, what to try next when there is none.",
    )(function)
