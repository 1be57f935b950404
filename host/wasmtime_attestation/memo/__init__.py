"""A memory of verifications that succeeded, so that the same bytes need not be verified again.

A memo only saves time: with and without it, claims, checks and errors are the same. It
remembers a step of a verification by everything that the step was given, and for the instants at
which the step comes out the same.
"""

from __future__ import annotations

import dataclasses
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import NoneType
from typing import Any, NoReturn, TypeVar, TypeVarTuple

from wasmtime_attestation.checks import Check, Ledger
from wasmtime_attestation.memo.instant import ObservedInstant, Span

MAX_ENTRIES = 4096
"""Steps that a memo remembers unless it is told otherwise."""
MAX_SIZE = 64 << 20
"""Bytes of input that it remembers steps of."""

# Longer bytes are remembered by their digest.
_LONGEST_AS_IT_IS = 512
_ENTRY_SIZE = 1024
"""What a step takes besides its inputs, about."""
_BUILT_IN = {NoneType, int, str, tuple}

Inputs = TypeVarTuple("Inputs")
R = TypeVar("R")
Step = Callable[[*Inputs, datetime, Ledger], R]


@dataclass(frozen=True, slots=True)
class _Entry:
    value: Any
    checks: Mapping[str, Check]
    span: Span
    size: int


class Memo:
    """Remembers the steps that succeeded, the most recently used ones; threads may share it.

    Args:
        entries: how many it remembers.
        size: of how many bytes of input together.
    """

    def __init__(self, entries: int = MAX_ENTRIES, size: int = MAX_SIZE) -> None:
        self._most_entries = entries
        self._most_bytes = size
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._size = 0
        self._half_full = False
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._entries)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a memo stays in its process: what comes from elsewhere was not verified")

    def _recall(
        self, step: Step[*Inputs, R], inputs: tuple[*Inputs], at: datetime, ledger: Ledger
    ) -> R:
        key = (step, *map(_key, inputs))
        entry = self._find(key)
        if entry is None or not entry.span.holds(at):
            entry = _run(step, inputs, at, ledger)
            self._keep(key, entry)
        ledger.adopt(entry.checks)
        value: R = entry.value
        return value

    def _find(self, key: Hashable) -> _Entry | None:
        with self._lock:
            entry = self._entries.get(key)
            # Until it is half full the order does not matter.
            if entry is not None and self._half_full:
                self._entries.move_to_end(key)
            return entry

    def _keep(self, key: Hashable, entry: _Entry) -> None:
        with self._lock:
            replaced = self._entries.pop(key, None)
            self._size += entry.size - (replaced.size if replaced else 0)
            self._entries[key] = entry
            while len(self._entries) > self._most_entries or self._size > self._most_bytes:
                _, oldest = self._entries.popitem(last=False)
                self._size -= oldest.size
            self._half_full = (
                2 * len(self._entries) > self._most_entries or 2 * self._size > self._most_bytes
            )


def recall(
    memo: Memo | None,
    step: Step[*Inputs, R],
    *inputs: *Inputs,
    at: datetime,
    ledger: Ledger,
) -> R:
    """Takes a step of a verification, or remembers how it came out.

    Nothing can be left out of the key: the step is a function of a module, and gets exactly the
    inputs that make the key. What it does with the instant is observed.

    Args:
        memo: the memory; None to take the step.
        step: a pure function of a module: it takes the inputs, an instant, which must be no part
            of what it returns, and a ledger, and returns something immutable.
        inputs: bytes, integers, text, tuples and frozen dataclasses of these, and immutable
            things with a `fingerprint` of 32 bytes, a digest of everything that they are made of.
        at: the instant.
        ledger: gets the checks of the step, taken or remembered.

    Raises:
        whatever the step raises; such a step is not remembered.
    """
    if memo is None:
        return step(*inputs, at, ledger)
    return memo._recall(step, inputs, at, ledger)  # noqa: SLF001


def _run(step: Step[*Inputs, R], inputs: tuple[*Inputs], at: datetime, ledger: Ledger) -> _Entry:
    if "<" in step.__qualname__ or step.__closure__ is not None:
        raise TypeError(f"{step.__qualname__} may depend on more than its inputs")
    size = _size(inputs) + _ENTRY_SIZE
    observed, own = ObservedInstant.of(at), Ledger()
    try:
        value = step(*inputs, observed, own)
    except BaseException:
        ledger.adopt(own.settled)
        raise
    return _Entry(value, own.settled, observed.span, size)


def _key(value: Any) -> Any:  # noqa: ANN401
    """Returns what stands for an input of a kind that `_size` accepts."""
    kind = type(value)
    if kind is bytes:
        if len(value) <= _LONGEST_AS_IT_IS:
            return value
        return len(value), hashlib.sha256(value).digest()
    if kind not in _BUILT_IN and hasattr(kind, "fingerprint"):
        return kind, value.fingerprint
    return value


def _size(value: Any) -> int:  # noqa: ANN401
    """Returns how many bytes there are in an input.

    Raises:
        TypeError: it is of no kind that can be told from all others by its hash and by `==`.
    """
    # Not isinstance: True and 1 are equal, and so are members of an IntEnum.
    if value is None or type(value) is int:
        return 8
    if isinstance(value, bytes | str):
        return len(value)
    if isinstance(value, tuple):
        return sum(map(_size, value))
    kind = type(value)
    if hasattr(kind, "fingerprint"):
        return 32
    parameters = getattr(kind, "__dataclass_params__", None)
    if parameters is None or not (parameters.frozen and parameters.eq):
        raise TypeError(f"a {kind.__name__} has no value to remember a step by")
    return sum(_size(getattr(value, field.name)) for field in dataclasses.fields(kind))
