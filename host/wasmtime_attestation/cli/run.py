"""`wasmtime-attestation run`."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wasmtime_attestation.cli import INTERRUPTED, configured, guarding, hosting, options
from wasmtime_attestation.cli.terminal import flush, say, slow
from wasmtime_attestation.config.endorser_settings import Settings
from wasmtime_attestation.embedding.runtime import Runtime
from wasmtime_attestation.errors import AttestationError
from wasmtime_attestation.world.failures import StartError
from wasmtime_attestation.world.guest import Guest
from wasmtime_attestation.world.limits import DEFAULT, Limits
from wasmtime_attestation.world.outcome import Ended, Outcome
from wasmtime_attestation.world.sandbox import Directory
from wasmtime_attestation.world.stdio import Stdio

if TYPE_CHECKING:
    from wasmtime_attestation.attesters.completed import Addition
    from wasmtime_attestation.policy import AppraisalPolicy

NOT_STARTED = 125


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
@click.option(
    "--max-memory",
    type=click.IntRange(min=1),
    metavar="BYTES",
    help="How large each linear memory may become; 1 GiB without it.",
)
@click.option(
    "--fuel",
    type=click.IntRange(min=1),
    metavar="N",
    help="How much the guest may do, about an instruction each; it runs slower where this counts.",
)
@click.option(
    "--max-calls",
    type=click.IntRange(min=1),
    metavar="N",
    help="How often the guest may call this host's functions; 10 million times without it.",
)
@click.option(
    "--max-call-bytes",
    type=click.IntRange(min=1),
    metavar="BYTES",
    help="How much the guest may pass to these functions in all; 4 GiB without it.",
)
@configured.config
@click.option(
    "--require",
    metavar="PRESET|FILE",
    help="Start the guest only if this host satisfies this policy.",
)
@click.option(
    "--revoke",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="Check this host again and again, and stop the guest when it does not satisfy --require.",
)
@guarding.guests_option
@guarding.journal_option
@options.tee
@configured.token
@options.trust_out
@options.endorsements
@click.option(
    "--endorse",
    is_flag=True,
    help="Fetch from the vendors what a verification of this host's evidence needs.",
)
@options.offline
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
    max_memory: int | None,
    fuel: int | None,
    max_calls: int | None,
    max_call_bytes: int | None,
    config_file: Path | None,
    tee: str | None,
    tokens: tuple[str, ...],
    require: str | None,
    revoke: float | None,
    guests_file: Path | None,
    journal_directory: Path | None,
    trust_out: Path | None,
    endorsement_paths: tuple[Path, ...],
    endorse: bool,
    offline: bool,
    gpus: int | None,
    guest: Path,
    args: tuple[str, ...],
) -> None:
    """Run a guest: a component or a core module, whichever the file is.

    The guest's exit code is passed through; WASI allows 0 to 125 to a core
    module, and 0 and 1 to a component. Codes of our own: 124 the time is
    over, 125 the guest was not started, 126 it was stopped since this host
    no longer satisfies --require, 134 it trapped, 137 it hit another limit,
    130 interrupted.
    Options stand before GUEST.wasm; what follows it is the guest's.
    """
    # `--` may stand between the guest and its arguments.
    arguments = args[1:] if args[:1] == ("--",) else args
    if revoke is not None and require is None:
        raise click.UsageError("--revoke says how often --require is checked: give that too")
    runtimes: list[Runtime] = []

    def start() -> Outcome:
        configuration = configured.load(
            config_file,
            tee=tee,
            token=tokens,
            endorsements=endorsement_paths,
            gpus=gpus,
            offline=offline,
            journal=journal_directory,
        )
        policy = None if require is None else _policy(require)
        rules = guarding.rules(guests_file) if guests_file else None
        additions = _additions(configuration.endorsers, endorse=endorse)
        program = Guest.from_file(guest)
        limits = Limits(
            seconds=timeout,
            memory_bytes=max_memory or DEFAULT.memory_bytes,
            fuel=fuel,
            host_calls=max_calls or DEFAULT.host_calls,
            host_bytes=max_call_bytes or DEFAULT.host_bytes,
        )
        with hosting.start(configuration, trust_out, rules=rules, additions=additions) as host:
            runtimes.append(Runtime(host, progress=slow))
            return runtimes[0].run(
                program,
                arguments,
                dirs=dirs,
                env=dict(env),
                limits=limits,
                stdio=Stdio.INHERITED,
                require=policy,
                recheck_seconds=revoke,
            )

    code = _code(start)
    if any(runtime.is_blocked for runtime in runtimes):
        # A thread is stuck in a call that does not return; Python would wait for it, or crash.
        flush()
        os._exit(code)
    ctx.exit(code)


def _code(start: Callable[[], Outcome]) -> int:
    """Returns the guest's exit code, or ours for what ended it, which is printed."""
    try:
        outcome = start()
    except (AttestationError, StartError) as error:
        say(f"not started: {error}")
        return NOT_STARTED
    except KeyboardInterrupt:
        say("interrupted")
        return INTERRUPTED
    if outcome.ended is not Ended.EXIT:
        say(outcome.reason)
    return outcome.exit_code


def _policy(name: str) -> AppraisalPolicy:
    from wasmtime_attestation.cli import given  # most guests require nothing

    return given.policy(name)


def _additions(endorsers: Settings, *, endorse: bool) -> tuple[Addition, ...]:
    if not endorse:
        return ()
    from wasmtime_attestation.cli import endorsing  # most hosts fetch nothing

    return (partial(endorsing.with_endorsements, endorsers=endorsers),)
