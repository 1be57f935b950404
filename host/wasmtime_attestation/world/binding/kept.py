"""Answers in the form in which guests get them, kept for as long as the host gives the same ones.

A host often answers the same object again: a cached token, what it detected at start. It is asked
each time, and decides each time; what is kept here only saves writing the same object twice.
"""

from __future__ import annotations

from typing import Generic, TypeVar

F = TypeVar("F")

MAX_KEPT = 8
"""Forms that a function keeps: as many as most machines have GPUs."""


class KeptForms(Generic[F]):
    """The forms of objects that cannot change, found by the object itself; threads may share it.

    An object is kept with its form, so that no other can have its identity meanwhile.
    """

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept: dict[int, tuple[object, F]] = {}

    def get(self, answer: object) -> F | None:
        """Returns the form of this very object, or None."""
        kept = self._kept.get(id(answer))
        return kept[1] if kept is not None and kept[0] is answer else None

    def put(self, answer: object, form: F) -> None:
        """Keeps the form of an object, which must never change."""
        if len(self._kept) >= MAX_KEPT:
            # A new dict: another thread may be looking into this one.
            self._kept = {}
        self._kept[id(answer)] = answer, form
