"""One guest between its host's rules, journal and policy, from start to stop."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, replace

from wasmtime_attestation import wit
from wasmtime_attestation.embedding.host import AttestationHost
from wasmtime_attestation.errors import AttestationError, Finding, InternalError
from wasmtime_attestation.guarding.journaled import Entry
from wasmtime_attestation.guarding.revocation import Revocation
from wasmtime_attestation.guarding.self_check import SelfCheck
from wasmtime_attestation.journal.decision import (
    Decision,
    Function,
    Verdict,
    findings_of,
    verdict_of,
)
from wasmtime_attestation.world.failures import (
    GuestRevoked,
    GuestTimeout,
    GuestTrap,
    StartError,
)
from wasmtime_attestation.world.guest import Guest

Revoked = Future[AttestationError]
Run = Callable[[wit.World, Revoked | None], int]
"""Runs a guest in a world until it ends, or a future says that it must; returns its exit code."""
END = "guest.end"
"""The finding that says how a guest ended."""
Progress = Callable[[str], AbstractContextManager[object]]
"""Is told what is going on, for as long as it does: people do not wait long in silence."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a host must satisfy to run a guest.

    Attributes:
        check: the policy.
        every: seconds after which the host is checked again; None to check it once.
    """

    check: SelfCheck
    every: float | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A host, from the start of each guest to its end.

    Attributes:
        host: serves guests.
        progress: is told what takes long.
    """

    host: AttestationHost
    progress: Progress = nullcontext

    def run(self, guest: Guest, run: Run, required: Requirement | None = None) -> int:
        """Runs a guest if the host satisfies what is required, and as long as it does.

        Returns:
            the guest's exit code.

        Raises:
            AttestationError: it was not started.
            GuestRevoked: it was stopped since the host no longer satisfies what is required.
            BaseException: what `run` raises.
        """
        name = required.check.policy.name if required else None
        start = Decision(Function.START, Verdict.OK, guest.name, guest.digest, policy=name)
        recorder = self.host.recorder
        with Entry(recorder, start) if recorder else nullcontext():
            if required is not None:
                with self.progress("checking this host …"):
                    required.check.check(guest.digest)
        stop = replace(start, function=Function.STOP)
        try:
            code = self._run(guest, run, required)
        except BaseException as error:
            self._record_end(_ended(stop, error))
            raise
        self._record_end(replace(stop, findings=(Finding(END, f"exit code {code}"),)))
        return code

    def _run(self, guest: Guest, run: Run, required: Requirement | None) -> int:
        world = self.host.world_for(guest)
        if required is None or required.every is None:
            return run(world, None)
        check = required.check
        with Revocation(lambda: check.check(guest.digest), required.every) as watch:
            return run(world, watch.revoked)

    def _record_end(self, decision: Decision) -> None:
        recorder = self.host.recorder
        if recorder is None:
            return
        # The guest has ended, whatever is recorded of it; the log tells of a full disk.
        with suppress(InternalError):
            recorder.record(decision)


def _ended(stop: Decision, error: BaseException) -> Decision:
    """Returns the record of a guest that did not end by itself."""
    if isinstance(error, GuestRevoked):
        error = error.reason
    if isinstance(error, AttestationError):
        return replace(stop, verdict=verdict_of(error), findings=findings_of(error))
    if isinstance(error, GuestTrap | GuestTimeout | StartError):
        return replace(stop, findings=(Finding(END, str(error)),))
    if isinstance(error, KeyboardInterrupt):
        return replace(stop, findings=(Finding(END, "interrupted"),))
    found = Finding(END, f"the host failed: {type(error).__name__}")
    return replace(stop, verdict=Verdict.INTERNAL, findings=(found,))
