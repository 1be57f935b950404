"""Ctrl-C while the main thread is in a guest.

Python calls signal handlers between its own instructions. After a while in a
guest, the first of these begins a host function, outside of any `try`: what a
handler raises there never gets to Python, and ctypes returns garbage to wasmtime.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def deferred(keep: Callable[[KeyboardInterrupt], None]) -> Iterator[None]:
    """Keeps interrupts, where Python's own handler would raise them.

    Handlers that a program installed stay: they must not raise while the main
    thread is in a guest.

    Args:
        keep: what is called with each, instead.
    """
    is_ours = threading.current_thread() is threading.main_thread()
    if not is_ours or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, lambda _number, _frame: keep(KeyboardInterrupt()))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
