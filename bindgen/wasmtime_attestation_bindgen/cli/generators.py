"""`rust`, `cpp` and `host`: bindings from WIT, written or compared."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TypeAlias, cast

import click

from wasmtime_attestation_bindgen.cli import inputs
from wasmtime_attestation_bindgen.errors import StaleError
from wasmtime_attestation_bindgen.files import stale, write
from wasmtime_attestation_bindgen.model import Resolve, WorldId
from wasmtime_attestation_bindgen.options import Options
from wasmtime_attestation_bindgen.selection import select_world

Generate: TypeAlias = Callable[[Resolve, WorldId, Options], dict[str, str]]

_SUMMARIES = {
    "rust": "Write Rust bindings: the module `bindings` of a crate.",
    "cpp": "Write C++ bindings: one header for C++20.",
    "host": "Write the typed side of a Python host.",
}
_PACKAGES = {"rust": ("rust",), "cpp": ("cpp",), "host": ("host", "legacy_host")}


def generator_commands() -> list[click.Command]:
    """Returns a command for each language."""
    return [_command(language) for language in _SUMMARIES]


def _command(language: str) -> click.Command:
    @click.command(language, help=_SUMMARIES[language] + _REST)
    @inputs.wit_option
    @inputs.world_option
    @inputs.features_options
    @click.option("--legacy", is_flag=True, help="Generate the pointer/length ABI too.")
    @click.option(
        "--check",
        is_flag=True,
        help="Write nothing: compare with what is there, print a diff, and exit with 5 if it is "
        "stale.",
    )
    @click.option(
        "-o",
        "--output",
        required=True,
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIR",
        help="The folder to write to; it is made if it is missing.",
    )
    def command(
        wit: Path,
        world: str | None,
        features: tuple[str, ...],
        output: Path,
        *,
        all_features: bool,
        legacy: bool,
        check: bool,
    ) -> None:
        model = inputs.read_model(wit, features, all_features=all_features)
        files = _generated(language, model, select_world(model, world), Options(legacy=legacy))
        if check:
            _compare(output, files)
            return
        for path in write(output, files):
            click.echo(output / path)

    return command


_REST = """

WIT is read as `resolve` reads it. Async functions, streams, futures and error
contexts have no form in these bindings: one error names the item, and nothing
is written.
"""


def _generated(
    language: str, model: Resolve, world_id: WorldId, options: Options
) -> dict[str, str]:
    files: dict[str, str] = {}
    for package in _PACKAGES[language]:
        # The other languages' templates need not be loaded.
        module = import_module(f"wasmtime_attestation_bindgen.{package}")
        files |= cast("Generate", module.generate)(model, world_id, options)
    return files


def _compare(folder: Path, files: dict[str, str]) -> None:
    diff = stale(folder, files)
    if diff:
        click.echo(diff, nl=False)
        raise StaleError(f"{folder} is stale: run the same command without `--check`")
