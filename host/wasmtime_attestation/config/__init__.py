"""A host's configuration: one TOML file, the environment and options, each value with its origin.

`docs/production.md` describes the form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from wasmtime_attestation.cache import settings as cache_settings
from wasmtime_attestation.capabilities import settings as guest_settings
from wasmtime_attestation.config import endorser_settings, host_settings
from wasmtime_attestation.config.layer import Layer, Layers
from wasmtime_attestation.errors import InvalidArgumentError
from wasmtime_attestation.journal import settings as journal_settings
from wasmtime_attestation.policy.presets import TEXTS as PRESETS
from wasmtime_attestation.policy.table import Json, SettingError, Table
from wasmtime_attestation.services import settings as service_settings

SCHEMA = 1
MAX_POLICIES = 64


@dataclass(frozen=True, slots=True)
class Configuration:
    """What is in force.

    Attributes:
        host: how guests are served.
        policies: the files of policies that guests may name.
        endorsers: where endorsements are fetched.
        services: the remote Verifiers that may be asked.
        journal: how the journal is kept.
        cache: how tokens are kept.
        guests: the rules for guests.
    """

    host: host_settings.Settings = field(default_factory=host_settings.Settings)
    policies: Mapping[str, Path] = field(default_factory=dict)
    endorsers: endorser_settings.Settings = field(default_factory=endorser_settings.Settings)
    services: service_settings.Settings = field(default_factory=service_settings.Settings)
    journal: journal_settings.Settings = field(default_factory=journal_settings.Settings)
    cache: cache_settings.Settings = field(default_factory=cache_settings.Settings)
    guests: guest_settings.Settings = field(default_factory=guest_settings.Settings)


@dataclass(frozen=True, slots=True)
class Read:
    """A configuration and how it came about.

    Attributes:
        configuration: what is in force.
        table: every setting, as its reader declared it.
        layers: where the values come from.
    """

    configuration: Configuration
    table: Table
    layers: Layers


def read(layers: Sequence[Layer]) -> Read:
    """Reads a configuration.

    Args:
        layers: what was given, what counts least first.

    Raises:
        InvalidArgumentError: a setting makes no sense; the message says where it is written.
    """
    all_layers = Layers(layers)
    values = {"schema": SCHEMA, **all_layers.merged()}
    table = Table(values)
    try:
        configuration = _configuration(table, values)
        table.end()
    except SettingError as error:
        raise all_layers.error(error) from error
    except ValueError as error:
        raise InvalidArgumentError(f"configuration: {error}") from error
    return Read(configuration, table, all_layers)


def _configuration(table: Table, values: Mapping[str, Json]) -> Configuration:
    table.version("schema", SCHEMA, "The version of this form.")
    host_table = table.table("host", "How guests are served.")
    host = host_settings.read(host_table)
    policies = _policies(
        table.table("policies", "Files of policies that guests may name, by name."),
        values.get("policies", {}),
    )
    cache = cache_settings.read(table.table("cache", "How tokens are kept."))
    endorsers = endorser_settings.read(table.table("endorsers", "Where endorsements are fetched."))
    services = service_settings.read(
        table.table("services", "Remote Verifiers, whose tokens guests may get.")
    )
    for kind in host.tokens:
        if kind in host_settings.SERVICES and getattr(services, kind) is None:
            raise host_table.refusal("tokens", f"tokens has {kind}, and there is no "
                                     f"[services.{kind}]")  # fmt: skip
    return Configuration(
        host=host,
        policies=policies,
        endorsers=replace(endorsers, shared=cache.redis),
        services=services,
        journal=journal_settings.read(table.table("journal", "How decisions are recorded.")),
        cache=cache,
        guests=guest_settings.read(table.table("guests", "What guests may do.")),
    )


def _policies(table: Table, values: Json) -> Mapping[str, Path]:
    found: dict[str, Path] = {}
    for name in list(values)[: MAX_POLICIES + 1]:
        file = table.string(name, "", "A file.")
        if name in PRESETS or not file:
            problem = "is a preset's name" if name in PRESETS else "names no file"
            raise table.refusal(name, f"policies.{name[:64]} {problem}")
        found[name] = Path(file)
    if len(found) > MAX_POLICIES:
        raise SettingError(("policies",), f"there are more than {MAX_POLICIES} policies")
    return found
