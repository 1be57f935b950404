"""That there is no such thing, remembered for a moment: guests that ask in a loop cost nothing."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from wasmtime_attestation.cache.flight import again
from wasmtime_attestation.cache.key import Key
from wasmtime_attestation.errors import UnsupportedError


class Unsupported:
    """What was not there a moment ago; whoever shares it between threads locks it.

    Args:
        seconds: how long it is believed.
        entries: how many are remembered.
        elapsed: seconds from a fixed point.
    """

    def __init__(self, seconds: float, entries: int, elapsed: Callable[[], float]) -> None:
        self._seconds = seconds
        self._most = entries
        self._elapsed = elapsed
        self._entries: OrderedDict[Key, tuple[UnsupportedError, float]] = OrderedDict()

    def check(self, key: Key) -> None:
        """Raises the `UnsupportedError` that was raised a moment ago, if one was."""
        error, since = self._entries.get(key, (None, 0.0))
        if error is None:
            return
        if 0 <= self._elapsed() - since < self._seconds:
            raise again(error)
        del self._entries[key]

    def put(self, key: Key, error: UnsupportedError) -> None:
        """Remembers one; the oldest gives way."""
        # A copy: the error that was raised holds on to everything that its frames did.
        self._entries[key] = (UnsupportedError(*error.args), self._elapsed())
        self._entries.move_to_end(key)
        while len(self._entries) > self._most:
            self._entries.popitem(last=False)

    def clear(self, guest_digest: bytes | None) -> None:
        """Forgets what a guest was told."""
        for key in [key for key in self._entries if key.guest_digest == guest_digest]:
            del self._entries[key]

    def clear_all(self) -> None:
        """Forgets everything."""
        self._entries.clear()
