"""One guest between its host's rules, journal and policy, from start to stop."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from wasmtime_attestation import wit
from wasmtime_attestation.embedding.host import AttestationHost
from wasmtime_attestation.errors import AttestationError, Finding, InternalError
from wasmtime_attestation.guarding.journaled import Entry, Recorder
from wasmtime_attestation.guarding.revocation import Revocation
from wasmtime_attestation.journal.decision import (
    Decision,
    Function,
    Verdict,
    findings_of,
    verdict_of,
)
from wasmtime_attestation.world.failures import StartError
from wasmtime_attestation.world.guest import Guest
from wasmtime_attestation.world.outcome import Ended, Outcome

if TYPE_CHECKING:
    from wasmtime_attestation.guarding.self_check import SelfCheck

Revoked = Future[AttestationError]
Run = Callable[[wit.World, Revoked | None], Outcome]
"""Runs a guest in a world until it ends, or a future says that it must."""
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

    def run(self, guest: Guest, run: Run, required: Requirement | None = None) -> Outcome:
        """Runs a guest if the host satisfies what is required, and as long as it does.

        Returns:
            how the guest ended.

        Raises:
            AttestationError: it was not started.
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
            outcome = self._run(guest, run, required)
        except BaseException as error:
            _record_end(recorder, _ended(stop, error))
            raise
        _record_end(recorder, _recorded(stop, outcome))
        return outcome

    def _run(self, guest: Guest, run: Run, required: Requirement | None) -> Outcome:
        world = self.host.world_for(guest)
        if required is None or required.every is None:
            return run(world, None)
        check = required.check
        with Revocation(lambda: check.check(guest.digest), required.every) as watch:
            return run(world, watch.revoked)


def _record_end(recorder: Recorder | None, decision: Decision) -> None:
    if recorder is None:
        return
    # The guest has ended, whatever is recorded of it; the log tells of a full disk.
    with suppress(InternalError):
        recorder.record(decision)


def _recorded(stop: Decision, outcome: Outcome) -> Decision:
    """Returns the record of a guest that ended."""
    if outcome.revoked is not None:
        return _ended(stop, outcome.revoked)
    is_exit = outcome.ended is Ended.EXIT
    text = f"exit code {outcome.exit_code}" if is_exit else outcome.reason
    return replace(stop, findings=(Finding(END, text),))


def _ended(stop: Decision, error: BaseException) -> Decision:
    """Returns the record of a guest that could not go on."""
    if isinstance(error, AttestationError):
        return replace(stop, verdict=verdict_of(error), findings=findings_of(error))
    if isinstance(error, StartError):
        return replace(stop, findings=(Finding(END, str(error)),))
    if isinstance(error, KeyboardInterrupt):
        return replace(stop, findings=(Finding(END, "interrupted"),))
    found = Finding(END, f"the host failed: {type(error).__name__}")
    return replace(stop, verdict=Verdict.INTERNAL, findings=(found,))
