"""One run of a guest as who waits for it sees it: until it ends, or must."""

from __future__ import annotations

import math
import time
from concurrent.futures import Future
from dataclasses import dataclass, field

from wasmtime_attestation.errors import AttestationError
from wasmtime_attestation.world import ending
from wasmtime_attestation.world.ending import Ending
from wasmtime_attestation.world.execution import Execution
from wasmtime_attestation.world.failures import printable
from wasmtime_attestation.world.limits import LimitKind
from wasmtime_attestation.world.outcome import REVOKED, Ended, Outcome
from wasmtime_attestation.world.stdio import Capture
from wasmtime_attestation.world.worker import Worker

_TURN = 0.05
"""Seconds after which to look whether the guest must end, while its output is waited for."""


@dataclass(slots=True)
class Run:
    """A guest in a thread of its own.

    Args:
        execution: what to run.
        capture: where its output goes.
        revoked: ends it when it is done.

    Attributes:
        worker: its thread.
    """

    execution: Execution
    capture: Capture
    revoked: Future[AttestationError] | None = None
    worker: Worker[Ending] = field(init=False)

    def __post_init__(self) -> None:
        self.worker = Worker(self.execution.run)

    def outcome(self) -> Outcome:
        """Runs the guest to its end.

        It has not ended where `worker` is not done: then it is within a call of
        its host's that did not end in time.

        Raises:
            StartError: it cannot be linked or instantiated.
            BaseException: what a host function raised and no guest may see, or
                what interrupted this thread.
        """
        begin = time.monotonic()
        try:
            end = self._end()
            stdout, stderr = self.capture.take()
            if self.capture.is_full and end.ended is not Ended.REVOKED:
                end = self._limited(LimitKind.OUTPUT)
        finally:
            if self.worker.done:
                self.capture.close()
            else:
                self.capture.leave()
        return Outcome(
            exit_code=end.exit_code,
            ended=end.ended,
            limit=end.limit,
            reason=end.reason,
            stdout=stdout,
            stderr=stderr,
            duration=time.monotonic() - begin,
            calls=dict(self.execution.meter.calls),
            revoked=self._reason() if end.ended is Ended.REVOKED else None,
        )

    def _end(self) -> Ending:
        in_time = False
        try:
            self.worker.start()
            in_time = self._wait()
        finally:
            if not in_time:
                self.worker.stop(self._interrupt)
        if in_time:
            return self.worker.result()
        if self.worker.done:
            self.worker.result()  # raises what its host raised
        return self._stopped()

    def _wait(self) -> bool:
        """Waits for the guest; returns whether it ended before it must."""
        seconds = self.execution.limits.seconds
        end = time.monotonic() + (math.inf if seconds is None else seconds)
        while not self.worker.done and not self.capture.is_full and self._reason() is None:
            left = end - time.monotonic()
            if left <= 0:
                break
            if not self.capture.wait(min(left, _TURN)):
                self.worker.pause(left, self.revoked)
        return self.worker.done

    def _interrupt(self) -> None:
        self.execution.stop.request()
        self.capture.wait(0)  # it may wait for room for its output

    def _reason(self) -> AttestationError | None:
        revoked = self.revoked
        return revoked.result() if revoked is not None and revoked.done() else None

    def _stopped(self) -> Ending:
        reason = self._reason()
        if reason is None:
            return self._limited(LimitKind.OUTPUT if self.capture.is_full else LimitKind.TIME)
        text = f"{printable(self.execution.program.name)} was stopped: {reason}"
        return Ending(Ended.REVOKED, REVOKED, text)

    def _limited(self, kind: LimitKind) -> Ending:
        return ending.limited(self.execution.program.name, kind, self.execution.limits)
