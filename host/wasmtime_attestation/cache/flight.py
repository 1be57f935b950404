"""Single flight: who asks for what somebody is already fetching waits for that."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from wasmtime_attestation.cache.kept import Kept
from wasmtime_attestation.errors import (
    AttestationError,
    PolicyError,
    RejectedError,
    UnavailableError,
)


@dataclass(slots=True, eq=False)
class Flight:
    """One attestation that is under way.

    Attributes:
        done: set when it has ended, however it did.
        kept: what it came to, if it succeeded.
        error: why it failed, where that is an answer; None also where its thread was interrupted.
        is_cleared: whether its guest has cleared the cache meanwhile: others may not have it.
    """

    done: threading.Event = field(default_factory=threading.Event)
    kept: Kept | None = None
    error: AttestationError | None = None
    is_cleared: bool = False

    def wait(self, deadline: float, seconds: float) -> None:
        """Waits for its end.

        Raises:
            UnavailableError: it has not ended at the deadline, of `time.monotonic`.
            AttestationError: how it failed, for those who waited; it is not remembered.
        """
        if not self.done.wait(max(0.0, deadline - time.monotonic())):
            raise UnavailableError(
                f"another call has been collecting the same evidence for {seconds:g} seconds and "
                "has not ended: a device or a service hangs; try again later"
            )
        if self.error is not None:
            raise again(self.error) from self.error


def again(error: AttestationError) -> AttestationError:
    """Returns an error that says the same: each thread raises one of its own."""
    if isinstance(error, RejectedError | PolicyError):
        return type(error)(error.findings)
    return type(error)(*error.args)
