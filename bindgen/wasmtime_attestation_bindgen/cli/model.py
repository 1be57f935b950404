"""`resolve`: WIT as JSON."""

from __future__ import annotations

from pathlib import Path

import click

from wasmtime_attestation_bindgen.cli import inputs


@click.command("resolve")
@inputs.wit_argument
@inputs.features_options
def resolve_command(wit: Path, features: tuple[str, ...], *, all_features: bool) -> None:
    """Print resolved WIT as JSON.

    DIR holds the `.wit` files of one package, and the packages that it
    depends on in `deps`; FILE is a package by itself. The JSON has the shape
    of wit-parser's `Resolve`.
    """
    # Only this command prints JSON.
    from wasmtime_attestation_bindgen import model_json

    model = inputs.read_model(wit, features, all_features=all_features)
    click.echo(model_json.dumps(model).encode())
