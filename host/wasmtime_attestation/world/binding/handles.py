"""What stands for resources on either side of a call."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from types import TracebackType
from typing import Any, Protocol, Self

from wasmtime_attestation.world.binding import capi
from wasmtime_attestation.world.binding.shapes import Function, Resource

MAX_HANDLES = 1 << 16
"""The most objects of a host that guests may hold at once, for each linking."""

_types = itertools.count(1)


class Handles:
    """The objects of a host that its guests hold, by number.

    Numbers are never used again, and mean nothing to another linking. A guest
    that is thrown away never drops what it holds: its objects live as long as
    the linking.
    """

    def __init__(self) -> None:
        self._objects: dict[int, object] = {}
        self._numbers = itertools.count(1)
        self._types: dict[Resource, int] = {}

    def type(self, resource: Resource) -> int:
        """Returns the number by which wasmtime tells a resource of this linking from others."""
        number = self._types.get(resource)
        return self._types.setdefault(resource, next(_types)) if number is None else number

    def put(self, value: object) -> int:
        """Returns the number of an object that a guest gets.

        Raises:
            OverflowError: guests hold too many, or have had 2^32 of them.
        """
        number = next(self._numbers)
        if len(self._objects) >= MAX_HANDLES or number >= 1 << 32:
            raise OverflowError(f"a guest holds {len(self._objects)} resources of its host")
        self._objects[number] = value
        return number

    def get(self, number: int) -> object:
        """Returns an object that a guest holds."""
        return self._objects[number]

    def take(self, number: int) -> object:
        """Returns an object that a guest holds no more."""
        return self._objects.pop(number)

    def discard(self, number: int) -> None:
        """Forgets an object that a guest was lent."""
        self._objects.pop(number, None)


class Exports(Protocol):
    """The exports of an instance that implement resources."""

    def handle(self, resource: Resource, address: int) -> object:
        """Returns a handle."""

    def drop(self, address: int) -> None:
        """Runs the guest's destructor."""

    def function(self, function: Function) -> Callable[..., Any]:
        """Returns what calls a function."""


class Handle:
    """A resource that a guest implements. Drop it, or use it in a `with` statement.

    Args:
        exports: what its methods call.
        address: of wasmtime's handle, which this object owns.
    """

    __slots__ = ("_address", "exports")

    def __init__(self, exports: Exports, address: int) -> None:
        self.exports = exports
        self._address: int | None = address

    @property
    def address(self) -> int:
        """Where wasmtime's handle is.

        Raises:
            ValueError: the resource is dropped, or was given away.
        """
        if self._address is None:
            raise ValueError(f"this {type(self).__name__} is dropped or was given away")
        return self._address

    def forget(self) -> None:
        """Gives up the handle, since the resource has another owner."""
        address, self._address = self._address, None
        if address is not None:
            capi.any_delete(address)

    def drop(self) -> None:
        """Runs the resource's destructor; without effect on one that is dropped."""
        if self._address is not None:
            try:
                self.exports.drop(self._address)
            finally:
                self.forget()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _value: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.drop()

    def __del__(self) -> None:
        self.forget()
