"""The options that name WIT, and the model that they mean."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from wasmtime_attestation_bindgen.link import Features
from wasmtime_attestation_bindgen.load import load
from wasmtime_attestation_bindgen.model import Resolve
from wasmtime_attestation_bindgen.resolve import resolve

Command = TypeVar("Command", bound=Callable[..., Any])

_WIT = click.Path(exists=True, path_type=Path)

wit_argument = click.argument("wit", type=_WIT, metavar="DIR|FILE")
wit_option = click.option(
    "--wit",
    required=True,
    type=_WIT,
    metavar="DIR|FILE",
    help="The WIT: a folder with one package, and what it depends on in `deps`; or one file.",
)
world_option = click.option(
    "--world",
    metavar="W",
    help="Which world, also as `namespace:package/world@version`; it may be left out if the "
    "package has only one.",
)
output_option = click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Where to write it.",
)


def features_options(command: Command) -> Command:
    """Adds `--features` and `--all-features`."""
    some = click.option(
        "--features",
        multiple=True,
        metavar="A,B",
        help="Activate features, so that items marked `@unstable` with them exist.",
    )
    every = click.option("--all-features", is_flag=True, help="Activate every feature.")
    return some(every(command))


def read_model(wit: Path, features: tuple[str, ...], *, all_features: bool) -> Resolve:
    """Returns the model of what the options above name.

    Raises:
        InputError: it cannot be read.
        WitError: it is wrong.
    """
    names = {name.strip() for option in features for name in option.split(",")}
    project = load(wit)
    return resolve(project.main, project.dependencies, Features(names, all_features))
