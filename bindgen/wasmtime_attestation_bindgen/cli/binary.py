"""`component-type`, `component new` and `package`: WIT and modules as bytes."""

from __future__ import annotations

from pathlib import Path

import click

from wasmtime_attestation_bindgen.cli import inputs
from wasmtime_attestation_bindgen.errors import InputError
from wasmtime_attestation_bindgen.files import write_bytes

MAX_MODULE = 64 * 2**20
"""Bytes; the largest guests that are known have 20 MiB."""


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
    from wasmtime_attestation_bindgen.component_type import component_type
    from wasmtime_attestation_bindgen.selection import select_world

    model = inputs.read_model(wit, features, all_features=all_features)
    write_bytes(output, component_type(model, select_world(model, world)))


@click.group("component")
def component_group() -> None:
    """Make components of core modules."""


@component_group.command("new")
@click.argument("core", type=click.Path(dir_okay=False, path_type=Path), metavar="CORE.wasm")
@inputs.output_option
def component_new_command(core: Path, output: Path) -> None:
    """Make a component of a core module that imports no WASI.

    The module's `component-type` sections say which world it targets; the
    bindings of this tool bring them. A module that imports WASI needs an
    adapter, which `wasm-tools component new` and `jco new` have.
    """
    # Validating a module takes wasmtime, which no other command loads.
    from wasmtime_attestation_bindgen.component_new import component_new

    write_bytes(output, component_new(_read(core)))


@click.command("package")
@inputs.wit_argument
@inputs.features_options
@inputs.output_option
def package_command(
    wit: Path, features: tuple[str, ...], output: Path, *, all_features: bool
) -> None:
    """Write a WIT package in its binary form.

    Registries take it. DIR and FILE are those of `resolve`. Packages that it
    depends on are named in it, not contained.
    """
    from wasmtime_attestation_bindgen.package_binary import wit_package

    write_bytes(output, wit_package(inputs.read_model(wit, features, all_features=all_features)))


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_MODULE + 1)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    if len(data) > MAX_MODULE:
        raise InputError(f"{path} has more than {MAX_MODULE} bytes")
    return data
