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
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NoReturn, TypeVar, TypeVarTuple

from wasmtime_attestation.checks import Check, Ledger
from wasmtime_attestation.memo.instant import ObservedInstant, Span

MAX_ENTRIES = 4096
"""Steps that a memo remembers unless it is told otherwise; each takes about 10 KB."""

# Longer bytes are remembered by their digest, so that nobody fills the memory with them.
_LONGEST_AS_IT_IS = 128
_PLAIN = (type(None), bool, int, str)

Inputs = TypeVarTuple("Inputs")
R = TypeVar("R")
Step = Callable[[*Inputs, datetime, Ledger], R]


@dataclass(frozen=True, slots=True)
class _Entry:
    value: Any
    checks: tuple[Check, ...]
    span: Span


class Memo:
    """Remembers the steps that succeeded, the most recently used ones; threads may share it.

    Args:
        entries: how many it remembers.
    """

    def __init__(self, entries: int = MAX_ENTRIES) -> None:
        if entries < 1:
            raise ValueError("a memo remembers at least one step")
        self._limit = entries
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._entries)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a memo stays in its process: what comes from elsewhere was not verified")

    def _recall(
        self,
        step: Step[*Inputs, R],
        inputs: tuple[*Inputs],
        at: datetime,
        ledger: Ledger,
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
            if entry is not None:
                self._entries.move_to_end(key)
            return entry

    def _keep(self, key: Hashable, entry: _Entry) -> None:
        with self._lock:
            self._entries[key] = entry
            self._entries.move_to_end(key)
            if len(self._entries) > self._limit:
                self._entries.popitem(last=False)


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
            things with a `fingerprint` that is a digest of everything that they are made of.
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
    observed, own = ObservedInstant.of(at), Ledger()
    try:
        value = step(*inputs, observed, own)
    except BaseException:
        ledger.adopt(own.settled)
        raise
    return _Entry(value, own.settled, observed.span)


def _key(value: object) -> Hashable:
    """Returns what stands for an input; two inputs of one kind never share it.

    Raises:
        TypeError: nothing can stand for it.
    """
    if isinstance(value, bytes):
        if len(value) <= _LONGEST_AS_IT_IS:
            return value
        return len(value), hashlib.sha256(value).digest()
    if isinstance(value, tuple):
        return tuple(map(_key, value))
    if isinstance(value, _PLAIN):
        return value
    kind = type(value)
    return kind, *map(_key, _parts(kind)(value))


@cache
def _parts(kind: type[Any]) -> Callable[[object], tuple[object, ...]]:
    """Returns what takes the parts of an input that stand for all of it."""
    if hasattr(kind, "fingerprint"):
        return lambda value: (value.fingerprint,)  # type: ignore[attr-defined]
    parameters = getattr(kind, "__dataclass_params__", None)
    if parameters is None or not parameters.frozen:
        raise TypeError(f"a {kind.__name__} is neither immutable bytes nor has a fingerprint")
    names = [field.name for field in dataclasses.fields(kind)]
    return lambda value: tuple(getattr(value, name) for name in names)
