"""Stops one guest of many that share an engine, from another thread.

An engine's epoch counts for all of its guests. So each guest's store has a
callback that says, whenever the epoch moves, whether this guest is meant: no
clock ticks, a stop is immediate, and the others go on.
"""

from __future__ import annotations

import ctypes
import itertools
from ctypes import CFUNCTYPE, POINTER, c_size_t, c_uint64, c_void_p
from typing import Any

from wasmtime import Engine, Store, _ffi

from wasmtime_attestation.world import host_calls
from wasmtime_attestation.world.metering import Stopped

_numbers = itertools.count(1)
_stops: dict[int, Stop] = {}


class Stop:
    """What stops one guest.

    Args:
        engine: the guest's, of `compiler.new_engine`.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.is_requested = False

    def arm(self, store: Store) -> None:
        """Makes a store's guests stop when `request` is called."""
        number = next(_numbers)
        _stops[number] = self
        store.set_epoch_deadline(1)
        _set_callback(ctypes.cast(store.ptr(), c_void_p), _on_epoch, number, _forget)
        if self.is_requested:  # before the deadline was set
            self._engine.increment_epoch()

    def request(self) -> None:
        """Stops the guest, at once if it is computing, or else when its host call returns."""
        self.is_requested = True
        self._engine.increment_epoch()


def _asked(_context: int, number: int, delta: Any, _kind: Any) -> int:  # noqa: ANN401 - ctypes'
    """Answers wasmtime: 0 to go on for `delta` further epochs, or the address of an error."""
    # Whatever were raised here would be dropped, and wasmtime would soon ask again.
    stop = _stops.get(number)
    if stop is None or stop.is_requested:
        host_calls.current().keep(Stopped())
        message: int = _error_new(b"the guest was stopped by its host")
        return message
    delta[0] = 1
    return 0


def _drop(number: int) -> None:
    _stops.pop(number, None)


_CALLBACK = CFUNCTYPE(c_size_t, c_void_p, c_size_t, POINTER(c_uint64), c_void_p)
_FINALIZER = CFUNCTYPE(None, c_size_t)
# wasmtime calls these two as long as a store is there, so they stay.
_on_epoch, _forget = _CALLBACK(_asked), _FINALIZER(_drop)
_set_callback = CFUNCTYPE(None, c_void_p, _CALLBACK, c_size_t, _FINALIZER)(
    ("wasmtime_store_epoch_deadline_callback", _ffi.dll)
)
_error_new = CFUNCTYPE(c_size_t, ctypes.c_char_p)(("wasmtime_error_new", _ffi.dll))
