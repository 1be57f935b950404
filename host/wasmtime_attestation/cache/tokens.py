"""The cache of tokens that a host asks: memory first, then the disk, then one attestation."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from wasmtime_attestation.cache.disk import DiskTokens
from wasmtime_attestation.cache.flight import Flight, again
from wasmtime_attestation.cache.kept import Freshness, Kept
from wasmtime_attestation.cache.key import Key
from wasmtime_attestation.cache.machine_identity import boot_of_machine
from wasmtime_attestation.cache.memory import MemoryTokens
from wasmtime_attestation.cache.settings import Settings
from wasmtime_attestation.cache.unsupported import Unsupported
from wasmtime_attestation.errors import AttestationError, UnsupportedError
from wasmtime_attestation.wit import AttestationResult


class TokenCache:
    """Tokens that are still good; its methods may be called by threads.

    Args:
        clock: the time, in seconds since the Unix epoch.
        settings: its bounds.
        disk: keeps what outlives the process; None for nothing.
        accepts: verifies a token that was read from the disk; None where `disk` is None.
        elapsed: seconds from a fixed point, which nobody can set.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        settings: Settings | None = None,
        disk: DiskTokens | None = None,
        accepts: Callable[[str], bool] | None = None,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        settings = settings or Settings()
        if disk is not None and accepts is None:
            raise ValueError("tokens from a disk are verified before they are used")
        self._clock = clock
        self._seconds = settings.wait_seconds
        self._freshness = Freshness(settings.margin, settings.max_age)
        self._memory = MemoryTokens(self._freshness, settings.entries, settings.size, elapsed)
        self._unsupported = Unsupported(settings.unsupported_seconds, settings.entries, elapsed)
        self._disk = disk
        self._accepts = accepts
        self._flights: dict[Key, Flight] = {}
        self._lock = threading.Lock()
        # Held while the disk changes, so that nothing is written after it was cleared.
        self._disk_lock = threading.Lock()

    @classmethod
    def of(
        cls, settings: Settings, clock: Callable[[], float], accepts: Callable[[str], bool]
    ) -> TokenCache:
        """Returns the cache that is configured, on disk where that is wanted and can be bound.

        Args:
            settings: its bounds, and its folder.
            clock: the time, in seconds since the Unix epoch.
            accepts: verifies a token that was read from the disk.
        """
        boot = None if settings.directory is None else boot_of_machine()
        if settings.directory is None or boot is None:
            return cls(clock, settings)
        disk = DiskTokens(settings.directory, boot, settings.disk_entries, settings.disk_size)
        return cls(clock, settings, disk, accepts)

    def __len__(self) -> int:
        return len(self._memory)

    def token(self, key: Key, issue: Callable[[], Kept]) -> AttestationResult:
        """Returns a token that is good now: one that was kept, or a new one.

        However many ask at once for the same, one of them issues it, and the others wait. What
        answers a challenge is neither kept nor shared: it is fresh evidence, always.

        Args:
            key: everything that the token depends on.
            issue: collects evidence and has a token issued.

        Raises:
            UnavailableError: the call that this one waited for has not ended in time.
            AttestationError: what `issue` raises; that is not remembered, save for
                `UnsupportedError`, for a moment.
        """
        if key.nonce is not None:
            return issue().result
        with self._lock:
            found = self._memory.get(key, self._now())
        if found is not None:
            return found.result
        deadline = time.monotonic() + self._seconds
        while True:
            kept = self._turn(key, issue, deadline)
            if kept is not None:
                return kept.result

    def clear(self, guest_digest: bytes | None) -> None:
        """Forgets a guest's tokens, also those that are being issued."""
        with self._lock:
            self._memory.clear(guest_digest)
            self._unsupported.clear(guest_digest)
            self._abandon([key for key in self._flights if key.guest_digest == guest_digest])
        if self._disk is not None:
            with self._disk_lock:
                self._disk.clear(guest_digest)

    def clear_all(self) -> None:
        """Forgets the tokens of all guests."""
        with self._lock:
            self._memory.clear_all()
            self._unsupported.clear_all()
            self._abandon(list(self._flights))
        if self._disk is not None:
            with self._disk_lock:
                self._disk.clear_all()

    def _turn(self, key: Key, issue: Callable[[], Kept], deadline: float) -> Kept | None:
        """Looks, leads or waits; None where the leader came to nothing that this call may have."""
        own = Flight()
        try:
            with self._lock:
                kept = self._memory.get(key, self._now())
                if kept is not None:
                    return kept
                self._unsupported.check(key)
                flight = self._flights.setdefault(key, own)
            if flight is own:
                return self._lead(key, own, issue)
        finally:
            # Also where this thread is interrupted: nobody must wait for it.
            self._end(key, own)
        flight.wait(deadline, self._seconds)
        kept = flight.kept
        return kept if kept is not None and self._freshness.holds(kept, self._now()) else None

    def _lead(self, key: Key, own: Flight, issue: Callable[[], Kept]) -> Kept:
        kept = self._from_disk(key)
        is_new = kept is None
        try:
            kept = kept or issue()
        except AttestationError as error:
            own.error = again(error)
            if isinstance(error, UnsupportedError):
                self._remember_unsupported(key, own, error)
            raise
        own.kept = kept
        self._keep(key, own, kept, is_new=is_new)
        return kept

    def _keep(self, key: Key, own: Flight, kept: Kept, *, is_new: bool) -> None:
        with self._lock:
            if own.is_cleared or not self._freshness.holds(kept, self._now()):
                return
            self._memory.put(key, kept)
        if self._disk is not None and is_new and self._disk.takes(key):
            with self._disk_lock:
                if not own.is_cleared:
                    self._disk.write(key, kept)

    def _remember_unsupported(self, key: Key, own: Flight, error: UnsupportedError) -> None:
        with self._lock:
            if not own.is_cleared:
                self._unsupported.put(key, error)

    def _from_disk(self, key: Key) -> Kept | None:
        """Reads a token, as strictly as if a stranger had brought it."""
        if self._disk is None or self._accepts is None or not self._disk.takes(key):
            return None
        kept = self._disk.read(key)
        if kept is None or not self._freshness.holds(kept, self._now()):
            return None
        if not self._accepts(kept.result.token):
            self._disk.remove(key)
            return None
        return kept

    def _end(self, key: Key, own: Flight) -> None:
        with self._lock:
            if self._flights.get(key) is own:
                del self._flights[key]
        own.done.set()

    def _abandon(self, keys: list[Key]) -> None:
        """Whoever asks from now on leads a flight of their own."""
        for key in keys:
            self._flights.pop(key).is_cleared = True

    def _now(self) -> int:
        return int(self._clock())
