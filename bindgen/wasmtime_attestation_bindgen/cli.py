"""The command line tool `wasmtime-attestation-bindgen`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from wasmtime_attestation_bindgen import model_json
from wasmtime_attestation_bindgen.component_type import component_type
from wasmtime_attestation_bindgen.errors import BindgenError, InputError
from wasmtime_attestation_bindgen.link import Features
from wasmtime_attestation_bindgen.load import load
from wasmtime_attestation_bindgen.resolve import resolve
from wasmtime_attestation_bindgen.selection import select_world

INTERNAL_ERROR = 1


class _Commands(click.Group):
    """Commands whose errors are messages and exit codes."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - click's own signature
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except BindgenError as error:
            click.echo(error.render(), err=True)
            ctx.exit(error.exit_code)
        except Exception as error:  # noqa: BLE001 - a user never sees a traceback
            click.echo(f"error: this is a bug, please report it: {error!r}", err=True)
            ctx.exit(INTERNAL_ERROR)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="wasmtime-attestation")
def main() -> None:
    """Reads WIT and writes bindings from it.

    Exit codes: 0 done, 1 internal error, 2 usage or unreadable input, 4 error
    in the WIT.
    """


@main.command("resolve")
@click.argument("wit", type=click.Path(exists=True, path_type=Path), metavar="DIR|FILE")
@click.option(
    "--features",
    multiple=True,
    metavar="A,B",
    help="Activate features, so that items marked `@unstable` with them exist.",
)
@click.option("--all-features", is_flag=True, help="Activate every feature.")
def resolve_command(wit: Path, features: tuple[str, ...], *, all_features: bool) -> None:
    """Print resolved WIT as JSON.

    DIR holds the `.wit` files of one package, and the packages that it
    depends on in `deps`; FILE is a package by itself. The JSON has the shape
    of wit-parser's `Resolve`.
    """
    names = {name.strip() for option in features for name in option.split(",")}
    project = load(wit)
    model = resolve(project.main, project.dependencies, Features(names, all_features))
    click.echo(model_json.dumps(model).encode())


@main.command("component-type")
@click.argument("wit", type=click.Path(exists=True, path_type=Path), metavar="DIR|FILE")
@click.option(
    "--world",
    metavar="W",
    help="Which world, also as `namespace:package/world@version`; it may be left out if the "
    "package has only one.",
)
@click.option(
    "--features",
    multiple=True,
    metavar="A,B",
    help="Activate features, so that items marked `@unstable` with them exist.",
)
@click.option("--all-features", is_flag=True, help="Activate every feature.")
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Where to write it.",
)
def component_type_command(
    wit: Path, world: str | None, features: tuple[str, ...], output: Path, *, all_features: bool
) -> None:
    """Write the payload of a world's `component-type` section.

    A core module that targets the world carries it, so that tools can make a
    component of the module. DIR and FILE are those of `resolve`.
    """
    names = {name.strip() for option in features for name in option.split(",")}
    project = load(wit)
    model = resolve(project.main, project.dependencies, Features(names, all_features))
    payload = component_type(model, select_world(model, world))
    try:
        output.write_bytes(payload)
    except OSError as error:
        raise InputError(f"cannot write {output}: {error.strerror}") from error
