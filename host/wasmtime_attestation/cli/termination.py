"""SIGTERM, by which services and containers are stopped, while a command holds resources.

By its default a process is gone at once, and what only it can remove, such as an entry of
configfs-tsm, is left behind. `run` keeps the default: an exception must not be raised while its
main thread is in a guest (`world/interrupts.py`).
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

EXIT_CODE = 128 + signal.SIGTERM
"""As a shell has it for a process that the signal ended."""


@contextmanager
def cleaned_up() -> Iterator[None]:
    """Ends the process by way of every `finally`; a handler that a program installed stays."""
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _end(number: int, frame: FrameType | None) -> NoReturn:
    del number, frame
    sys.exit(EXIT_CODE)
