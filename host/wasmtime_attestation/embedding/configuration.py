"""A configuration from whatever an embedder has: a `Configuration`, a file, a mapping, nothing."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from wasmtime_attestation.config import Configuration, read
from wasmtime_attestation.config.assembly import assemble
from wasmtime_attestation.config.environment import of as setting
from wasmtime_attestation.config.file import layer
from wasmtime_attestation.config.host_settings import EVIDENCE
from wasmtime_attestation.config.layer import Layer, Outside
from wasmtime_attestation.config.paths import absolute
from wasmtime_attestation.errors import InvalidArgumentError
from wasmtime_attestation.policy.presets import TEXTS as PRESETS
from wasmtime_attestation.policy.table import Json

Config = Configuration | str | os.PathLike[str] | Mapping[str, Json] | None
"""What `AttestationHost` takes; `configuration_of` says what each means."""


def configuration_of(config: Config, tee: str | None = None) -> Configuration:
    """Returns the configuration that is meant.

    Args:
        config: a configuration; the path of a file (`docs/production.md`); what such a file has,
            as a mapping, whose relative paths start at the current folder; or None for the
            defaults. Neither the environment nor the user's own file counts.
        tee: `host.tee`, over what a file or mapping has.

    Raises:
        InvalidArgumentError: something makes no sense; the message says where it is written.
    """
    if isinstance(config, Configuration):
        if tee is not None:
            raise InvalidArgumentError(
                "a Configuration says what its TEE is: give tee with a file, a mapping or nothing"
            )
        return config
    layers = [] if config is None else [_layer(config)]
    if tee is not None:
        layers.append(setting(("host", "tee"), tee, Outside("argument tee")))
    return read(layers).configuration if layers else Configuration()


def from_environment(file: str | os.PathLike[str] | None = None) -> Configuration:
    """Returns what is in force for the command line: the user's file, a named one, variables.

    Args:
        file: as `--config` names it; None for the one that the environment names, if it does.

    Raises:
        InvalidArgumentError: something cannot be read or makes no sense; the message says where.
    """
    return assemble(None if file is None else Path(file), {}, os.environ).configuration


def names_files(configuration: Configuration) -> bool:
    """Whether what it names has to be read before one can say that it can be used."""
    host = configuration.host
    return bool(
        host.endorsements
        or host.issuers
        or configuration.policies
        or host.policy not in PRESETS
        or host.tokens != (EVIDENCE,)
    )


def _layer(config: str | os.PathLike[str] | Mapping[str, Json]) -> Layer:
    if isinstance(config, Mapping):
        values = {name: _plain(value) for name, value in config.items()}
        return Layer(absolute(values, Path.cwd()), Outside("configuration"))
    return layer(Path(config))


def _plain(value: Json) -> Json:
    """Returns a value as TOML has it: Python's callers write paths and tuples too."""
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return str(value) if isinstance(value, Path) else value
