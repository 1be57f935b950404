"""`component-type`, `component new` and `package`: WIT and modules as bytes."""

from __future__ import annotations

from pathlib import Path

import click

from wasmtime_attestation_bindgen.cli import inputs
from wasmtime_attestation_bindgen.component_type import component_type
from wasmtime_attestation_bindgen.files import write_bytes
from wasmtime_attestation_bindgen.selection import select_world


@click.command("component-type")
@inputs.wit_argument
@inputs.world_option
@inputs.features_options
@inputs.output_option
def component_type_command(
    wit: Path, world: str | None, features: tuple[str, ...], output: Path, *, all_features: bool
) -> None:
    """Write the payload of a world's `component-type` section.

    A core module that targets the world carries it, so that tools can make a
    component of the module. DIR and FILE are those of `resolve`.
    """
    model = inputs.read_model(wit, features, all_features=all_features)
    write_bytes(output, component_type(model, select_world(model, world)))
