"""Runs guests for those who own no engine: one call a guest, also async, also many at once."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Self

from wasmtime_attestation import wit
from wasmtime_attestation.embedding import at_once
from wasmtime_attestation.embedding.host import AttestationHost
from wasmtime_attestation.embedding.issued import TokenRecorder
from wasmtime_attestation.embedding.requirement import Required, required_of
from wasmtime_attestation.embedding.session import Progress, Revoked, Session
from wasmtime_attestation.embedding.stopping import Stop, either
from wasmtime_attestation.errors import AttestationError, InvalidArgumentError
from wasmtime_attestation.world import runtime as world
from wasmtime_attestation.world.code_cache import CodeCache
from wasmtime_attestation.world.failures import StartError
from wasmtime_attestation.world.guest import Guest
from wasmtime_attestation.world.limits import DEFAULT, Limits
from wasmtime_attestation.world.outcome import Outcome
from wasmtime_attestation.world.sandbox import Directory
from wasmtime_attestation.world.stdio import Stdio


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of a guest.

    Attributes:
        guest: what to run.
        args: its arguments after its name.
        dirs: the directories that it may use; it sees no others.
        env: its environment variables; it sees no others.
        limits: what it may use up.
        stdin: its standard input.
        stdio: whether its output comes with the outcome (`Stdio.CAPTURED`), or its standard
            streams are this process's (`Stdio.INHERITED`).
        require: a policy that the host must satisfy before the guest is started: a policy, a
            preset's name, or the path of a file; None for none.
        recheck_seconds: after how many seconds that is checked again, to stop the guest where
            the host no longer satisfies it; None to check it once.
    """

    guest: Guest
    args: Sequence[str] = ()
    dirs: Sequence[Directory] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = DEFAULT
    stdin: bytes = b""
    stdio: Stdio = Stdio.CAPTURED
    require: Required = None
    recheck_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class NotRun:
    """A run among many that came to nothing: no code of the guest ran, or it could not get going.

    Attributes:
        run: what was to run.
        error: why it did not.
    """

    run: Run
    error: AttestationError | StartError


class Runtime:
    """Runs guests on a host, each in a thread, a sandbox and a store of its own.

    One serves any number of guests, runs and threads. Guests are compiled once for as long as
    their `Guest` lives, and kept on disk as the host's `[cache.code]` says.

    Args:
        host: serves the guests; None for one with the defaults, which is closed with this.
        progress: is told what takes long, and returns a context manager for as long as it does.
    """

    def __init__(
        self, host: AttestationHost | None = None, *, progress: Progress = nullcontext
    ) -> None:
        self.host = AttestationHost() if host is None else host
        self._owns_host = host is None
        self._progress = progress
        self._runtime = world.Runtime(CodeCache.of(self.host.configuration.cache.code))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._owns_host:
            self.host.close()

    @property
    def is_blocked(self) -> bool:
        """Whether a thread is stuck in a call that does not return, for a guest that was stopped.

        A process with such a thread must leave through `os._exit`, or it may crash on its way out.
        """
        return self._runtime.is_blocked()

    def compile(self, guest: Guest) -> None:
        """Compiles a guest, which `run` does otherwise; this can take seconds.

        Raises:
            StartError: it cannot be compiled, imports something of this package that this host
                does not have, or has no entry.
        """
        with self._progress(f"compiling {guest.name} …"):
            self._runtime.compile(guest)

    def run(
        self,
        guest: Guest,
        args: Sequence[str] = (),
        *,
        dirs: Sequence[Directory] = (),
        env: Mapping[str, str] | None = None,
        limits: Limits = DEFAULT,
        stdin: bytes = b"",
        stdio: Stdio = Stdio.CAPTURED,
        require: Required = None,
        recheck_seconds: float | None = None,
    ) -> Outcome:
        """Runs a guest to its end: a component's `wasi:cli/run`, a core module's `_start`.

        Args: see `Run`.

        Returns:
            how it ended, whatever it did to itself: exit, trap, limit, or stopped by the host.

        Raises:
            StartError: it cannot be compiled, linked or instantiated.
            InvalidArgumentError: an argument cannot be used.
            RejectedError, PolicyError, UnsupportedError, UnavailableError: the host does not
                satisfy `require`.
            AttestationError: what `AttestationHost.world_for` raises.
            KeyboardInterrupt: the waiting thread was interrupted; the guest was stopped.
        """
        return self._run(
            Run(
                guest=guest,
                args=args,
                dirs=dirs,
                env=env or {},
                limits=limits,
                stdin=stdin,
                stdio=stdio,
                require=require,
                recheck_seconds=recheck_seconds,
            )
        )

    async def arun(
        self,
        guest: Guest,
        args: Sequence[str] = (),
        *,
        dirs: Sequence[Directory] = (),
        env: Mapping[str, str] | None = None,
        limits: Limits = DEFAULT,
        stdin: bytes = b"",
        stdio: Stdio = Stdio.CAPTURED,
        require: Required = None,
        recheck_seconds: float | None = None,
    ) -> Outcome:
        """Runs a guest while the event loop goes on; see `run`.

        Cancelling the task stops the guest, and the task ends when the guest has ended; while
        the guest is still being compiled, when that is done.
        """
        run = Run(
            guest=guest,
            args=args,
            dirs=dirs,
            env=env or {},
            limits=limits,
            stdin=stdin,
            stdio=stdio,
            require=require,
            recheck_seconds=recheck_seconds,
        )
        from wasmtime_attestation.embedding.awaiting import awaited  # asyncio

        return await awaited(lambda stop: self._run(run, stop))

    def run_many(
        self,
        runs: Iterable[Run],
        *,
        workers: int | None = None,
        executor: Executor | None = None,
    ) -> Generator[Outcome | NotRun, None, None]:
        """Runs many guests at once; the outcomes come in the order of the runs.

        Runs are taken from the iterable a few ahead of the outcomes. Closing the iterator, or an
        exception in it, stops the guests that run.

        Args:
            runs: what to run, as many as there are.
            workers: how many at a time; None for as many as there are processors.
            executor: runs them instead, with threads of this process.

        Raises:
            InvalidArgumentError: the executor works in other processes. Threads use all the
                processors: while a guest runs, wasmtime does not hold Python's lock.
        """
        return at_once.in_order(self._attempt, runs, workers=workers, executor=executor)

    def _attempt(self, run: Run, stop: Stop) -> Outcome | NotRun:
        try:
            return self._run(run, stop)
        except (AttestationError, StartError) as error:
            return NotRun(run, error)

    def _run(self, run: Run, stop: Stop | None = None) -> Outcome:
        if run.recheck_seconds is not None and run.require is None:
            raise InvalidArgumentError("recheck_seconds says how often require is checked: give it")
        if run.limits.fuel is None:  # other machine code counts it
            self.compile(run.guest)
        required = required_of(self.host, run.require, run.recheck_seconds)

        def go(guests_world: wit.World, revoked: Revoked | None) -> Outcome:
            recorder = TokenRecorder(guests_world)
            outcome = self._runtime.run(
                run.guest,
                recorder,
                args=run.args,
                dirs=run.dirs,
                env=[*run.env.items()],
                stdio=run.stdio,
                stdin=run.stdin,
                limits=run.limits,
                revoked=either(revoked, stop),
            )
            return replace(outcome, tokens=recorder.tokens)

        return Session(self.host, self._progress).run(run.guest, go, required)
