"""What all items of a batch have in common: it goes to each process once, not with each item."""

from __future__ import annotations

import hashlib
import pickle
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from wasmtime_attestation.memo import Memo

_REMEMBERED = 4
"""Batches at a time that a process works for."""

S = TypeVar("S")


class Terms(Generic[S]):
    """Something that every item needs, and a memo of the process.

    Args:
        value: immutable; where other processes work, it must be possible to pickle it.
        memo: of this process; another process has one of its own.
    """

    def __init__(self, value: S, memo: Memo | None = None) -> None:
        self.value = value
        self.memo = Memo() if memo is None else memo
        self._pickled: bytes | None = None

    def __reduce__(self) -> tuple[Callable[[bytes], Terms[Any]], tuple[bytes]]:
        if self._pickled is None:
            self._pickled = pickle.dumps(self.value)
        return _of_process, (self._pickled,)


_KNOWN: OrderedDict[bytes, Terms[Any]] = OrderedDict()


def _of_process(pickled: bytes) -> Terms[Any]:
    """Returns the one that this process has for the same value, or makes it."""
    digest = hashlib.sha256(pickled).digest()
    known = _KNOWN.get(digest)
    if known is None:
        known = _KNOWN[digest] = Terms(pickle.loads(pickled))  # noqa: S301 - from our own parent
        if len(_KNOWN) > _REMEMBERED:
            _KNOWN.popitem(last=False)
    return known
