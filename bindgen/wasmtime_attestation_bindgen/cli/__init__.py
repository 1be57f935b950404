"""The command line tool `wasmtime-attestation-bindgen`."""

from __future__ import annotations

from typing import Any

import click

from wasmtime_attestation_bindgen.cli.binary import (
    component_group,
    component_type_command,
    package_command,
)
from wasmtime_attestation_bindgen.cli.generators import generator_commands
from wasmtime_attestation_bindgen.cli.model import resolve_command
from wasmtime_attestation_bindgen.errors import BindgenError

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

    Exit codes: 0 done, 1 internal error, 2 usage or what cannot be read or
    written, 4 error in the WIT or the module, 5 generated files are stale.
    """


for command in (
    resolve_command,
    *generator_commands(),
    component_type_command,
    component_group,
    package_command,
):
    main.add_command(command)
