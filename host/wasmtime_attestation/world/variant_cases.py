"""Which case of a variant a value is: wasmtime-py looks for it in what all threads share.

Importing this module repairs it, for every component of the process.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import cast

from wasmtime.component import _types


class _PerThread(threading.local):
    """A set of classes that each thread has of its own."""

    def __init__(self) -> None:
        self._classes: set[type] = set()

    def add(self, class_: type) -> None:
        self._classes.add(class_)

    def clear(self) -> None:
        self._classes.clear()

    def __iter__(self) -> Iterator[type]:
        return iter(self._classes)


# wasmtime-py 50 keeps the classes of the case that it is looking at in this global while it
# releases the GIL: with several threads an `err` is taken for an `ok`, and the guest traps.
_types.case_test_cache = cast("set[type]", _PerThread())
