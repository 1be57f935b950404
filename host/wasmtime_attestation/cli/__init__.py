"""The command line tool: `wasmtime-attestation`."""

from __future__ import annotations

import gc
import importlib
import logging
import os
import sys
from typing import ClassVar

import click

from wasmtime_attestation.cli.terminal import LineFormatter, say, tolerate_encodings
from wasmtime_attestation.errors import AttestationError, InternalError

log = logging.getLogger(__name__)
INTERRUPTED = 130
_OBJECTS = 20_000
"""How many objects are made before garbage is collected; Python says 700."""


class _Commands(click.Group):
    """Imports a command when it is called: `detect` must not wait for wasmtime."""

    names: ClassVar[tuple[str, ...]] = (
        "run",
        "detect",
        "doctor",
        "attest",
        "redact",
        "verify",
        "endorsements",
        "policy",
        "config",
        "inspect",
        "binding",
        "journal",
        "cache",
    )

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(self.names)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in self.names:
            return None
        module = importlib.import_module(f"{__name__}.{cmd_name}")
        command = getattr(module, "command", None)
        return command if isinstance(command, click.Command) else None


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="wasmtime-attestation")
@click.option("-v", "--verbose", is_flag=True, help="Log more, to standard error.")
def cli(*, verbose: bool) -> None:
    """Run WebAssembly guests that attest, and verify what they show.

    \b
    Exit codes: 0 ok, 1 internal error, 2 usage, 3 unsupported here, 4 rejected,
    5 policy, 6 unavailable, 7 denied. `run` passes the guest's own code through.
    """  # noqa: D301
    start_logging(verbose=verbose)


def start_logging(*, verbose: bool) -> None:
    """Sends this package's log to standard error; JSON on standard output stays clean."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(handlers=[handler])
    logging.getLogger("wasmtime_attestation").setLevel(logging.INFO if verbose else logging.WARNING)


def main() -> None:
    """Runs the tool; every outcome is an exit code and a message, never a traceback."""
    # What a start makes stays: looking through it again and again takes a tenth of the start.
    gc.set_threshold(_OBJECTS)
    tolerate_encodings()
    code = _exit_code()
    # Python would look through all of it once more, for what it could free before the end.
    gc.freeze()
    sys.exit(code)


def _exit_code() -> int:
    try:
        code = cli.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except AttestationError as error:
        say(f"{error.case}: {error.message}")
        return error.exit_code
    except BrokenPipeError:
        # Whoever read our output has gone; Python must not complain about it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return InternalError.exit_code
    except OSError as error:
        say(f"internal: {error.strerror or error}; nothing more can be read or written")
        return InternalError.exit_code
    except Exception as error:
        log.info("internal error", exc_info=True)
        say(
            f"internal: {type(error).__name__}: {error}; this is a fault of wasmtime-attestation, "
            "please report it with the output of --verbose"
        )
        return InternalError.exit_code
    return code if isinstance(code, int) else 0
