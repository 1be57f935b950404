"""Runs guests of either ABI over a world, each in a thread and a sandbox of its own."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from concurrent.futures import Future

from wasmtime import WasiConfig, WasmtimeError

from wasmtime_attestation import wit
from wasmtime_attestation.errors import AttestationError
from wasmtime_attestation.world import stdio as streams
from wasmtime_attestation.world.code_cache import CodeCache
from wasmtime_attestation.world.execution import Execution
from wasmtime_attestation.world.failures import StartError
from wasmtime_attestation.world.guest import Guest
from wasmtime_attestation.world.left_behind import LeftBehind
from wasmtime_attestation.world.limits import DEFAULT, LimitKind, Limits
from wasmtime_attestation.world.metering import Meter
from wasmtime_attestation.world.outcome import Ended, GuestError, Outcome
from wasmtime_attestation.world.programs import Programs
from wasmtime_attestation.world.run import Run
from wasmtime_attestation.world.sandbox import Directory, Sandbox
from wasmtime_attestation.world.stdio import Stdio
from wasmtime_attestation.world.stopping import Stop

__all__ = [
    "Directory",
    "Ended",
    "Guest",
    "GuestError",
    "LimitKind",
    "Limits",
    "Outcome",
    "Runtime",
    "StartError",
    "Stdio",
]


class Runtime:
    """Compiles and runs guests; one serves any number of guests, runs and threads.

    Args:
        cache: where compiled guests are kept for other processes; None for nowhere.
    """

    def __init__(self, cache: CodeCache | None = None) -> None:
        self._cache = cache
        self._programs = Programs(cache, fuel=False)
        self._counting: Programs | None = None
        self._left_behind = LeftBehind()

    def is_blocked(self) -> bool:
        """Whether a guest that was stopped is still within a call of the host's that does not end.

        Nothing can end its thread. A process with such a thread must leave
        through `os._exit`, or it may crash on the way out. The same holds while
        a guest is compiled for nobody.
        """
        compilers = filter(None, (self._programs, self._counting))
        is_compiling = any(programs.is_compiling for programs in compilers)
        return is_compiling or len(self._left_behind) > 0

    def compile(self, guest: Guest) -> None:
        """Compiles a guest, which `run` does otherwise; this can take seconds.

        The machine code is kept for as long as the guest is.

        Args:
            guest: what to compile.

        Raises:
            StartError: it cannot be compiled, imports something of this
                package that this host does not have, or has no entry.
        """
        self._programs.of(guest)

    def run(
        self,
        guest: Guest,
        world: wit.World,
        *,
        args: Sequence[str] = (),
        dirs: Sequence[Directory] = (),
        env: Sequence[tuple[str, str]] = (),
        stdio: Stdio = Stdio.CAPTURED,
        stdin: bytes = b"",
        limits: Limits = DEFAULT,
        revoked: Future[AttestationError] | None = None,
    ) -> Outcome:
        """Runs a guest to its end.

        A component runs through its export `wasi:cli/run@0.2.x`, a core module
        through `_start`. Of this process it gets nothing but clocks, randomness
        and what is given here.

        Args:
            guest: what to run.
            world: what it may call.
            args: its arguments after its name.
            dirs: the directories that it may use.
            env: its environment variables, as pairs of name and value.
            stdio: whether its output comes with the outcome, or its standard
                streams are this process's.
            stdin: its standard input, where that is not this process's.
            limits: what it may use.
            revoked: stops it when it is done, for the reason that it has.

        Returns:
            how it ended, whatever it did to itself.

        Raises:
            InvalidArgumentError: an argument cannot be used.
            StartError: the guest cannot be compiled, linked or instantiated, or
                this process has no descriptors or threads left for it.
            KeyboardInterrupt: it was stopped since the waiting thread was
                interrupted.
            BaseException: what `world` raised and no guest may see, unchanged.
        """
        self._left_behind.check(guest)
        programs = self._compiler(limits)
        program, code = programs.of(guest)
        wasi = Sandbox([guest.name, *args], dirs, env, stdio, stdin).wasi()
        if stdio is Stdio.INHERITED:
            _flush()
        run = Run(
            Execution(
                program,
                code,
                programs.engine,
                world,
                wasi,
                limits,
                Meter(limits),
                Stop(programs.engine),
            ),
            _captured(guest, wasi, stdio, limits),
            revoked,
        )
        try:
            return run.outcome()
        finally:
            if not run.worker.done:
                self._left_behind.add(guest, run)

    def _compiler(self, limits: Limits) -> Programs:
        """Returns what compiles guests for these limits: machine code counts fuel, or does not."""
        if limits.fuel is None:
            return self._programs
        if self._counting is None:
            self._counting = Programs(self._cache, fuel=True)
        return self._counting


def _captured(guest: Guest, wasi: WasiConfig, stdio: Stdio, limits: Limits) -> streams.Capture:
    try:
        return streams.capture(wasi, stdio, limits.output_bytes)
    except (OSError, WasmtimeError) as error:
        raise StartError(
            f"{guest.name} cannot start: its output cannot be captured ({error}); it needs "
            "four descriptors: raise the limit of this process (`ulimit -n`), or run fewer at once"
        ) from error


def _flush() -> None:
    # The guest writes to the same files, but not through Python's buffers.
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and not stream.closed:
            stream.flush()
