"""`rust`, `cpp`, `host` and `generate`: bindings from WIT, written or compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TypeAlias, TypedDict, Unpack, cast

import click

from wasmtime_attestation_bindgen.cli import inputs
from wasmtime_attestation_bindgen.errors import StaleError
from wasmtime_attestation_bindgen.files import stale, write
from wasmtime_attestation_bindgen.model import Resolve, WorldId
from wasmtime_attestation_bindgen.options import Options
from wasmtime_attestation_bindgen.selection import select_world

Generate: TypeAlias = Callable[[Resolve, WorldId, Options], dict[str, str]]
Generated: TypeAlias = Sequence[tuple[Path, dict[str, str]]]
"""Folders, and the text of the files in each by their paths."""

_SUMMARIES = {
    "rust": "Write Rust bindings: the module `bindings` of a crate.",
    "cpp": "Write C++ bindings: one header for C++20.",
    "host": "Write the typed side of a Python host.",
}
_OUTPUTS = {"rust": "Rust bindings", "cpp": "C++ bindings", "host": "a Python host's typed side"}
_PACKAGES = {"rust": ("rust",), "cpp": ("cpp",), "host": ("host", "legacy_host")}
_REST = """

WIT is read as `resolve` reads it. Async functions, streams, futures and error
contexts have no form in these bindings: one error names the item, and nothing
is written.
"""
_FOLDER = click.Path(file_okay=False, path_type=Path)


class _Asked(TypedDict):
    """What the options say that all of these commands have."""

    wit: Path
    world: str | None
    features: tuple[str, ...]
    all_features: bool
    legacy: bool
    check: bool


def generator_commands() -> list[click.Command]:
    """Returns a command for each language, and one for several at once."""
    return [*map(_command, _SUMMARIES), _generate_command()]


def _command(language: str) -> click.Command:
    @click.command(language, help=_SUMMARIES[language] + _REST)
    @_options
    @click.option(
        "-o",
        "--output",
        required=True,
        type=_FOLDER,
        metavar="DIR",
        help="The folder to write to; it is made if it is missing.",
    )
    def command(output: Path, **asked: Unpack[_Asked]) -> None:
        _run({language: output}, **asked)

    return command


def _generate_command() -> click.Command:
    def command(**given: object) -> None:
        folders = {language: cast("Path | None", given.pop(language)) for language in _OUTPUTS}
        outputs = {language: folder for language, folder in folders.items() if folder is not None}
        if not outputs:
            names = ", ".join(f"`--{language}`" for language in _OUTPUTS)
            raise click.UsageError(f"nothing to generate: give one or more of {names}")
        _run(outputs, **cast("_Asked", given))

    for language, what in reversed(_OUTPUTS.items()):
        option = click.option(
            f"--{language}", type=_FOLDER, metavar="DIR", help=f"Write {what} to this folder."
        )
        command = option(command)
    summary = "Write bindings for several languages at once."
    return click.command("generate", help=summary + _REST)(_options(command))


def _options(command: inputs.Command) -> inputs.Command:
    """Adds the options of `_Asked`."""
    legacy = click.option("--legacy", is_flag=True, help="Generate the pointer/length ABI too.")
    check = click.option(
        "--check",
        is_flag=True,
        help="Write nothing: compare with what is there, print a diff, and exit with 5 if it is "
        "stale.",
    )
    command = inputs.features_options(legacy(check(command)))
    return inputs.wit_option(inputs.world_option(command))


def _run(outputs: Mapping[str, Path], **asked: Unpack[_Asked]) -> None:
    """Writes or compares the bindings of one world; `outputs` are folders by language."""
    model = inputs.read_model(asked["wit"], asked["features"], all_features=asked["all_features"])
    world_id = select_world(model, asked["world"])
    options = Options(legacy=asked["legacy"])
    # Nothing is written before all of it is there: an error leaves no language behind the others.
    generated = [
        (folder, _generated(language, model, world_id, options))
        for language, folder in outputs.items()
    ]
    if asked["check"]:
        _compare(generated)
    else:
        _write(generated)


def _generated(
    language: str, model: Resolve, world_id: WorldId, options: Options
) -> dict[str, str]:
    files: dict[str, str] = {}
    for package in _PACKAGES[language]:
        # The other languages' generators need not be loaded.
        module = import_module(f"wasmtime_attestation_bindgen.{package}")
        files |= cast("Generate", module.generate)(model, world_id, options)
    return files


def _write(generated: Generated) -> None:
    for folder, files in generated:
        for path in write(folder, files):
            click.echo(folder / path)


def _compare(generated: Generated) -> None:
    diffs = [(str(folder), stale(folder, files)) for folder, files in generated]
    click.echo("".join(diff for _, diff in diffs), nl=False)
    found = [folder for folder, diff in diffs if diff]
    if found:
        verb = "is" if len(found) == 1 else "are"
        folders = ", ".join(found)
        raise StaleError(f"{folders} {verb} stale: run the same command without `--check`")
