"""A bounded little-endian reader that reads like the field table of a specification."""

from __future__ import annotations

from struct import Struct
from typing import Any, NoReturn

from wasmtime_attestation.errors import RejectedError


class Reader:
    """Reads fields in order; anything that does not fit is rejected.

    Args:
        data: the bytes to read.
        check: the check that an ill-formed field fails, such as `snp.format`.
        what: what the bytes are, for messages.
    """

    def __init__(self, data: bytes, check: str, what: str) -> None:
        self._data = data
        self._size = len(data)
        self._check = check
        self._what = what
        self._at = 0

    @property
    def offset(self) -> int:
        """How many bytes were read so far."""
        return self._at

    def take(self, size: int, name: str) -> bytes:
        """Returns the next `size` bytes."""
        start = self._skip(size, name)
        return self._data[start : self._at]

    def uint(self, size: int, name: str) -> int:
        """Returns the next `size` bytes as an unsigned little-endian integer."""
        return int.from_bytes(self.take(size, name), "little")

    def fields(self, layout: Struct, name: str) -> tuple[Any, ...]:
        """Returns the fields of a table that has nothing else in it, all at once."""
        start = self._skip(layout.size, name)
        fields: tuple[Any, ...] = layout.unpack_from(self._data, start)
        return fields

    def big_endian(self, size: int, name: str) -> int:
        """Returns the next `size` bytes as an unsigned big-endian integer, as TPMs write them."""
        return int.from_bytes(self.take(size, name), "big")

    def zero(self, size: int, name: str) -> None:
        """Reads `size` bytes that must be zero."""
        start = self._at
        if self.take(size, name).strip(b"\0"):
            self.reject(f"{name} (0x{start:x} to 0x{self._at:x}) must be zero")

    def end(self) -> None:
        """Checks that nothing follows."""
        if self._at != len(self._data):
            self.reject(f"{len(self._data) - self._at} bytes follow its end at {self._at}")

    def _skip(self, size: int, name: str) -> int:
        """Goes on by `size` bytes that are there; returns where they begin."""
        start = self._at
        end = self._at = start + size
        if end > self._size:
            self.reject(f"it ends at byte {self._size}, within {name} (0x{start:x} to 0x{end:x})")
        return start

    def reject(self, detail: str) -> NoReturn:
        """Raises `RejectedError`: the bytes are not what they should be."""
        raise RejectedError.of(self._check, f"this is no valid {self._what}: {detail}")
