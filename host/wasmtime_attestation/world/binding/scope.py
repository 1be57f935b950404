"""What the values of one call need beside themselves."""

from __future__ import annotations

from collections.abc import Callable

from wasmtime_attestation.world.binding.handles import Exports, Handles


class Scope(list[object]):
    """One call: the memory that its lowered values point into, and its resources.

    Args:
        context: the address of the store's context; 0 where values are only checked.
        handles: the resources of the host.
        exports: whose handles stand for the guest's resources.

    Attributes:
        finish: what to do once wasmtime has copied the values.
    """

    __slots__ = ("context", "exports", "finish", "handles")

    def __init__(self, context: int, handles: Handles, exports: Exports | None = None) -> None:
        super().__init__()
        self.context = context
        self.handles = handles
        self.exports = exports
        self.finish: list[Callable[[], None]] = []

    def close(self) -> None:
        """Ends the call, with success or without."""
        while self.finish:
            self.finish.pop()()


NO_HANDLES = Handles()
"""For calls that pass no resources."""
