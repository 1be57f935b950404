"""Puts what a host's configuration demands between its guests and its service."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from wasmtime_attestation import wit
from wasmtime_attestation.capabilities.rate import Rates
from wasmtime_attestation.capabilities.settings import Settings
from wasmtime_attestation.capabilities.terms import GuestIdentity, IssuedKind
from wasmtime_attestation.checked_world import CheckedWorld
from wasmtime_attestation.guarding.guarded import Guarded
from wasmtime_attestation.guarding.journaled import Journaled, Recorder

EVIDENCE = frozenset({IssuedKind.EVIDENCE})
"""What a host issues that no service issues for."""
MAX_GUESTS = 4096
"""Guests whose calls are counted; the one that was started longest ago is forgotten first."""


class Guard:
    """The rules and the journal of one host; threads may share it.

    Args:
        guests: the rules; None for no rules and no limits.
        recorder: the journal; None for none.
        kinds: the kinds of token that the host may issue.
        clock: a monotonic time in seconds, for calls per minute.
    """

    def __init__(
        self,
        guests: Settings | None,
        recorder: Recorder | None = None,
        kinds: frozenset[IssuedKind] = EVIDENCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._guests = guests
        self._recorder = recorder
        self._kinds = kinds
        self._clock = clock
        self._rates: OrderedDict[tuple[str, object], Rates] = OrderedDict()
        self._lock = threading.Lock()

    def guarded(self, world: CheckedWorld, guest: GuestIdentity) -> wit.World:
        """Returns the world as a guest may use it; the same one where nothing is configured.

        What a guest has left of its calls outlasts its run: a guest that is started again has no
        more.

        Args:
            world: as the service has it for the guest.
            guest: who it is for.
        """
        if self._guests is not None:
            rule = self._guests.rule_for(guest)
            key = (rule.name, guest.digest or guest)
            with self._lock:
                rates = self._rates.setdefault(key, Rates(rule, self._clock))
                self._rates.move_to_end(key)
                while len(self._rates) > MAX_GUESTS:
                    self._rates.popitem(last=False)
            world = Guarded(world, rule, rates, self._kinds)
        return world if self._recorder is None else Journaled(world, self._recorder, guest)
