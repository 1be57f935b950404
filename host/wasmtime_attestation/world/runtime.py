"""Runs guests of either ABI over a world, each in a thread and a sandbox of its own."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any
from weakref import WeakKeyDictionary

from wasmtime_attestation import wit
from wasmtime_attestation.errors import AttestationError, InvalidArgumentError
from wasmtime_attestation.world.code_cache import CodeCache
from wasmtime_attestation.world.compiler import Program, compile_guest, new_engine
from wasmtime_attestation.world.execution import execute
from wasmtime_attestation.world.failures import (
    GuestRevoked,
    GuestTimeout,
    GuestTrap,
    StartError,
)
from wasmtime_attestation.world.guest import Guest
from wasmtime_attestation.world.sandbox import Directory, Sandbox
from wasmtime_attestation.world.worker import Worker

__all__ = [
    "Directory",
    "Guest",
    "GuestRevoked",
    "GuestTimeout",
    "GuestTrap",
    "Runtime",
    "StartError",
]


class Runtime:
    """Compiles and runs guests; one serves any number of guests, runs and threads."""

    def __init__(self) -> None:
        self._engine = new_engine()
        self._programs: WeakKeyDictionary[Guest, Program] = WeakKeyDictionary()
        self._blocked: list[Worker[Any]] = []

    def is_blocked(self) -> bool:
        """Whether a guest that was stopped is still within a call of the host's that does not end.

        Nothing can end its thread. A process with such a thread must leave
        through `os._exit`, or it may crash on the way out.
        """
        return any(not worker.done for worker in self._blocked)

    def compile(self, guest: Guest, cache: CodeCache | None = None) -> None:
        """Compiles a guest, which `run` does otherwise; this can take seconds.

        The machine code is kept for as long as the guest is.

        Args:
            guest: what to compile.
            cache: where it may be found compiled, or is kept for the next process.

        Raises:
            StartError: it cannot be compiled, imports something of this
                package that this host does not have, or has no entry.
        """
        self._program(guest, cache)

    def run(
        self,
        guest: Guest,
        world: wit.World,
        *,
        args: Sequence[str] = (),
        dirs: Sequence[Directory] = (),
        env: Sequence[tuple[str, str]] = (),
        timeout: float | None = None,
        revoked: Future[AttestationError] | None = None,
    ) -> int:
        """Runs a guest and returns its exit code.

        A component runs through its export `wasi:cli/run@0.2.x`, a core module
        through `_start`. Standard input, output and error are this process's;
        nothing else is, unless it is given here.

        Args:
            guest: what to run.
            world: what it may call.
            args: its arguments after its name.
            dirs: the directories that it may use.
            env: its environment variables, as pairs of name and value.
            timeout: how many seconds it may run, compilation not counted.
            revoked: stops it when it is done, for the reason that it has.

        Raises:
            InvalidArgumentError: an argument cannot be used.
            StartError: the guest cannot be compiled, linked or instantiated.
            GuestTrap: it trapped.
            GuestTimeout: it was stopped when its time was over.
            GuestRevoked: it was stopped by `revoked`.
            KeyboardInterrupt: it was stopped since the waiting thread was
                interrupted.
            BaseException: what `world` raised and no guest may see, unchanged.
        """
        limit = math.inf if timeout is None else timeout
        if not limit > 0:
            raise InvalidArgumentError(f"a guest cannot run for {limit} seconds")
        program, sandbox = self._program(guest), Sandbox([guest.name, *args], dirs, env)
        engine = new_engine()  # of its own: an epoch stops every guest of its engine
        _flush()
        worker = Worker(lambda: execute(engine, program, world, sandbox))
        if not self._finish(worker, limit, engine.increment_epoch, revoked):
            if revoked is not None and revoked.done():
                raise GuestRevoked(guest.name, revoked.result())
            raise GuestTimeout(guest.name, limit)
        return worker.result()

    def _program(self, guest: Guest, cache: CodeCache | None = None) -> Program:
        program = self._programs.get(guest)
        if program is None:
            program_of = compile_guest if cache is None else cache.program
            worker = Worker(lambda: program_of(self._engine, guest))
            self._finish(worker, math.inf, lambda: None)
            program = self._programs[guest] = worker.result()
        return program

    def _finish(
        self,
        worker: Worker[Any],
        limit: float,
        interrupt: Callable[[], object],
        revoked: Future[AttestationError] | None = None,
    ) -> bool:
        in_time = False
        try:
            worker.start()
            in_time = worker.wait(limit, revoked)
        finally:
            if not in_time:
                self._stop(worker, interrupt)
        return in_time

    def _stop(self, worker: Worker[Any], interrupt: Callable[[], object]) -> None:
        try:
            worker.stop(interrupt)
        finally:
            if not worker.done:
                self._blocked = [*(w for w in self._blocked if not w.done), worker]


def _flush() -> None:
    # The guest writes to the same files, but not through Python's buffers.
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and not stream.closed:
            stream.flush()
