"""How a function says that its `result` is an error."""

from __future__ import annotations

from typing import Generic, TypeVar

E = TypeVar("E")


class Failure(Exception, Generic[E]):  # noqa: N818 - it is a value of the world, not an accident
    """The `err` case of a function's `result`.

    A host function raises it, and the guest gets its `error`; a guest's export
    that returns `err` raises it for its caller.

    Args:
        error: a value of the result's error type; None where it has none.
    """

    def __init__(self, error: E) -> None:
        super().__init__(error)
        self.error = error
