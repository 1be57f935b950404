"""Checks a host again and again while a guest runs, and says when the guest must stop."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from types import TracebackType
from typing import Self

from wasmtime_attestation.errors import AttestationError, InternalError, UnavailableError

log = logging.getLogger(__name__)
TRIES = 3
"""Checks in a row that may fail to say anything: the last of them stops the guest."""
CHECK_SECONDS = 60.0
"""How long one check may take; a longer one counts as a try that said nothing."""


class Revocation:
    """A watch over a host; a context manager.

    The guest must stop as soon as a check says no, at the third check in a row that cannot say
    anything, and when the watch itself fails.

    Attributes:
        revoked: why the guest must stop, once it must.

    Args:
        check: raises an `AttestationError` where the host does not satisfy its policy.
        seconds: from one check to the next.
        limit: seconds that a check may take.
    """

    def __init__(
        self, check: Callable[[], object], seconds: float, limit: float = CHECK_SECONDS
    ) -> None:
        self.revoked: Future[AttestationError] = Future()
        self._check, self._seconds, self._limit = check, seconds, limit
        self._ended = threading.Event()

    def __enter__(self) -> Self:
        threading.Thread(target=self._watch, name="revocation", daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()

    def _watch(self) -> None:
        reason: AttestationError = InternalError("the watch over this host failed")
        try:
            reason = self._first_no()
        finally:
            # Also where this thread fails: nobody would watch.
            self.revoked.set_result(reason)

    def _first_no(self) -> AttestationError:
        """Returns the first answer that is no, or, at the end, that there was none."""
        tries, running = 0, None
        while not self._ended.wait(self._seconds):
            running = running or _started(self._check)
            error = self._outcome(running)
            running = running if not running.done() else None
            if error is None:
                tries = 0
                continue
            tries += 1
            if not isinstance(error, UnavailableError) or tries >= TRIES:
                return error
            log.warning("this host cannot be checked, try %d of %d: %s", tries, TRIES, error)
        return InternalError("the guest has ended")

    def _outcome(self, running: Future[None]) -> AttestationError | None:
        if not wait([running], self._limit).done:
            return UnavailableError(f"the check did not end within {self._limit:g} seconds")
        error = running.exception()
        if error is None or isinstance(error, AttestationError):
            return error
        log.info("the check of this host failed", exc_info=error)
        return InternalError(f"the check of this host failed: {type(error).__name__}")


def _started(check: Callable[[], object]) -> Future[None]:
    """Starts a check in a thread of its own, which nobody has to wait for."""
    outcome: Future[None] = Future()

    def work() -> None:
        try:
            check()
        except BaseException as error:  # noqa: BLE001 - it goes to whoever waits
            outcome.set_exception(error)
        else:
            outcome.set_result(None)

    threading.Thread(target=work, name="check of this host", daemon=True).start()
    return outcome
