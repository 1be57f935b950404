"""What counts: options, before the environment, a named file, the user's file, and defaults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from wasmtime_attestation.config import Read, environment, file, read
from wasmtime_attestation.config.layer import Layer, Outside
from wasmtime_attestation.policy.table import Json, Key

OPTIONS: Mapping[str, Key] = {
    "--tee": ("host", "tee"),
    "--token": ("host", "tokens"),
    "--endorsements": ("host", "endorsements"),
    "--gpus": ("host", "gpus"),
    "--offline": ("endorsers", "offline"),
    "--journal": ("journal", "directory"),
    "--nonce-record": ("cache", "nonce-record"),
}
"""Options of commands, and what they set."""


def assemble(named: Path | None, options: Mapping[str, Json], variables: Mapping[str, str]) -> Read:
    """Reads the configuration that is in force.

    Args:
        named: the file of `--config`.
        options: the values of those of `OPTIONS` that were given.
        variables: the environment.

    Raises:
        InvalidArgumentError: something cannot be read or makes no sense; the message says where.
    """
    return read(
        [
            *_files(named, variables),
            *environment.layers(variables),
            *(
                environment.of(OPTIONS[option], value, Outside(f"option {option}"))
                for option, value in options.items()
            ),
        ]
    )


def _files(named: Path | None, variables: Mapping[str, str]) -> Iterator[Layer]:
    users = file.users_file(variables)
    if users is not None and file.is_there(users):
        yield file.layer(users)
    if named is None and (text := variables.get(file.VARIABLE)):
        named = Path(text)
    if named is not None:
        yield file.layer(named)
