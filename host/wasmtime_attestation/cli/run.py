"""`wasmtime-attestation run`."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import click

from wasmtime_attestation import wit
from wasmtime_attestation.attesters.completed import Addition
from wasmtime_attestation.capabilities.terms import GuestIdentity
from wasmtime_attestation.cli import INTERRUPTED, configured, given, guarding, host, options
from wasmtime_attestation.cli.session import Requirement, Revoked, Session
from wasmtime_attestation.cli.terminal import flush, say, slow
from wasmtime_attestation.config.endorser_settings import Settings
from wasmtime_attestation.errors import AttestationError
from wasmtime_attestation.guarding.guard import Guard
from wasmtime_attestation.guarding.self_check import SelfCheck
from wasmtime_attestation.policy import AppraisalPolicy
from wasmtime_attestation.world.runtime import (
    Directory,
    Ended,
    Guest,
    Limits,
    Outcome,
    Runtime,
    StartError,
    Stdio,
)

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
    runtime = Runtime()
    if revoke is not None and require is None:
        raise click.UsageError("--revoke says how often --require is checked: give that too")

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
        policy = _policy(require)
        chosen = host.HostOptions.of(
            configuration,
            trust_out,
            _additions(configuration.endorsers, endorse=endorse),
            {} if policy is None else {policy.name: policy},
        )
        rules = guarding.rules(guests_file) if guests_file else configuration.guests
        program = _prepare(runtime, guest)
        started = host.start(chosen)
        required = None
        if policy is not None:
            check = SelfCheck(
                started.service, policy.name, configuration.host.gpus, started.replays
            )
            required = Requirement(check, revoke)

        def run(world: wit.World, revoked: Revoked | None) -> Outcome:
            return runtime.run(
                program,
                world,
                args=arguments,
                dirs=dirs,
                env=env,
                stdio=Stdio.INHERITED,
                limits=Limits(seconds=timeout),
                revoked=revoked,
            )

        settings = configuration.journal
        with guarding.journal(settings, started.service, replays=started.replays) as journal:
            session = Session(started.service, Guard(rules, journal), journal)
            return session.run(_identity(program, guest), run, required)

    code = _code(start)
    if runtime.is_blocked():
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


def _policy(name: str | None) -> AppraisalPolicy | None:
    """Returns the policy that the host must satisfy, by a name that no guest's preset has."""
    if name is None:
        return None
    policy = given.policy(name)
    return replace(policy, name=f"required:{policy.name}")


def _additions(endorsers: Settings, *, endorse: bool) -> tuple[Addition, ...]:
    if not endorse:
        return ()
    from wasmtime_attestation.cli import endorsing  # most hosts fetch nothing

    return (partial(endorsing.with_endorsements, endorsers=endorsers),)


def _identity(program: Guest, path: Path) -> GuestIdentity:
    return GuestIdentity(program.name, program.digest, str(path.resolve()))


def _prepare(runtime: Runtime, path: Path) -> Guest:
    guest = Guest.from_file(path)
    with slow(f"compiling {guest.name} …"):
        runtime.compile(guest)
    return guest
