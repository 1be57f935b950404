"""`wasmtime-attestation config`: what is in force and why, its form, and checking a file."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

import click

from wasmtime_attestation.cli import configured, options
from wasmtime_attestation.config import Read, read
from wasmtime_attestation.config.assembly import assemble
from wasmtime_attestation.config.file import layer
from wasmtime_attestation.config.in_force import InForce, in_force
from wasmtime_attestation.config.schema import schema


@click.group("config")
def command() -> None:
    """Work with the host's configuration (docs/production.md)."""


@command.command("show")
@configured.config
@options.as_json
def show_command(*, config_file: Path | None, as_json: bool) -> None:
    """Print every setting that is in force and where it comes from; keys are not shown."""
    found = in_force(assemble(config_file, {}, os.environ))
    if as_json:
        members = {each.key: _members(each) for each in found}
        click.echo(json.dumps({"schema": 1, "settings": members}, indent=2))
        return
    texts = [(f"{each.key} = {_text(each)}", each.origin) for each in found]
    width = min(max(len(text) for text, _ in texts), 60)
    for text, origin in texts:
        click.echo(f"{text:{width}}  # {origin}")


@command.command("schema")
def schema_command() -> None:
    """Print the JSON Schema of configurations, for editors and other tools."""
    click.echo(json.dumps(schema(), indent=2))


@command.command("check")
@click.argument("file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
def check_command(*, file: Path) -> None:
    """Read a file, and the policies, issuers and endorsements that it names; ask nobody."""
    found = read([layer(file)])
    _check_files(found)
    click.echo(f"{file}: guests get tokens of kind {_kinds(found)}")


def _check_files(found: Read) -> None:
    from wasmtime_attestation.embedding import files, starting
    from wasmtime_attestation.endorsements.anchors import Anchors
    from wasmtime_attestation.service import Settings

    configuration = found.configuration
    starting.settings(configuration, Settings(Anchors.of_vendors()))
    files.endorsements(configuration.host.endorsements)


def _kinds(found: Read) -> str:
    return ", or else ".join(found.configuration.host.tokens)


def _members(each: InForce) -> dict[str, object]:
    members = asdict(each)
    del members["key"]
    return {name: value for name, value in members.items() if name != "secret" or value}


def _text(each: InForce) -> str:
    if each.secret is not None:
        return f"<{each.secret}>"
    return "-" if each.value is None else json.dumps(each.value, ensure_ascii=False)
