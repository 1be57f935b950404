"""`wasmtime-attestation run`."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import click

from wasmtime_attestation.cli import INTERRUPTED, configured, host, options
from wasmtime_attestation.cli.terminal import flush, say, slow
from wasmtime_attestation.errors import AttestationError
from wasmtime_attestation.world.runtime import (
    Directory,
    Guest,
    GuestTimeout,
    GuestTrap,
    Runtime,
    StartError,
)

TIMED_OUT = 124
NOT_STARTED = 125
TRAPPED = 134


def _directory(text: str) -> Directory:
    outside, separator, inside = text.partition("::")
    if not outside or (separator and not inside):
        raise click.BadParameter("it is not HOST or HOST::GUEST")
    return Directory(Path(outside), inside or outside, writable=True)


def _variable(text: str) -> tuple[str, str]:
    name, separator, content = text.partition("=")
    if not name or not separator:
        raise click.BadParameter("it is not NAME=VALUE")
    return name, content


@click.command("run", context_settings={"allow_interspersed_args": False})
@click.option(
    "--dir",
    "dirs",
    type=_directory,
    multiple=True,
    metavar="HOST[::GUEST]",
    help="A directory that the guest may read and write.",
)
@click.option(
    "--env",
    type=_variable,
    multiple=True,
    metavar="K=V",
    help="An environment variable for the guest; it gets no other.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="Stop the guest after this time.",
)
@configured.config
@options.tee
@configured.token
@options.trust_out
@options.endorsements
@options.gpus
@options.verbose
@click.argument("guest", metavar="GUEST.wasm", type=click.Path(path_type=Path))
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def command(
    ctx: click.Context,
    *,
    dirs: tuple[Directory, ...],
    env: tuple[tuple[str, str], ...],
    timeout: float | None,
    config_file: Path | None,
    tee: str | None,
    tokens: tuple[str, ...],
    trust_out: Path | None,
    endorsement_paths: tuple[Path, ...],
    gpus: int | None,
    guest: Path,
    args: tuple[str, ...],
) -> None:
    """Run a guest: a component or a core module, whichever the file is.

    The guest's exit code is passed through; WASI allows 0 to 125 to a core
    module, and 0 and 1 to a component. Codes of our own: 124 the time is
    over, 125 the guest could not be started, 134 it trapped, 130 interrupted.
    Options stand before GUEST.wasm; what follows it is the guest's.
    """
    # `--` may stand between the guest and its arguments.
    arguments = args[1:] if args[:1] == ("--",) else args
    runtime = Runtime()

    def start() -> int:
        chosen = host.HostOptions.of(
            configured.load(
                config_file, tee=tee, token=tokens, endorsements=endorsement_paths, gpus=gpus
            ),
            trust_out,
        )
        program = _prepare(runtime, guest)
        world = host.start(chosen).service.for_guest(program.digest)
        return runtime.run(program, world, args=arguments, dirs=dirs, env=env, timeout=timeout)

    code = _code(start)
    if runtime.is_blocked():
        # A thread is stuck in a call that does not return; Python would wait for it, or crash.
        flush()
        os._exit(code)
    ctx.exit(code)


def _code(start: Callable[[], int]) -> int:
    """Returns the guest's exit code, or ours for what ended it, which is printed."""
    try:
        return start()
    except (AttestationError, StartError) as error:
        say(f"not started: {error}")
        return NOT_STARTED
    except GuestTrap as error:
        say(str(error))
        return TRAPPED
    except GuestTimeout as error:
        say(str(error))
        return TIMED_OUT
    except KeyboardInterrupt:
        say("interrupted")
        return INTERRUPTED


def _prepare(runtime: Runtime, path: Path) -> Guest:
    guest = Guest.from_file(path)
    with slow(f"compiling {guest.name} …"):
        runtime.compile(guest)
    return guest
