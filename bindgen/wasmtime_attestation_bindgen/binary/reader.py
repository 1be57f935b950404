"""Bytes to numbers and names (component-model, Binary.md; WebAssembly core, "Values")."""

from __future__ import annotations

from wasmtime_attestation_bindgen.errors import WitError


class Reader:
    """Reads within bounds.

    Args:
        path: what errors call the file.
        data: the file.
    """

    def __init__(self, path: str, data: bytes) -> None:
        self.path = path
        self._data = data
        self._at = 0

    @property
    def position(self) -> int:
        """The offset of the next byte."""
        return self._at

    @property
    def done(self) -> bool:
        """Whether everything is read."""
        return self._at == len(self._data)

    def error(self, message: str) -> WitError:
        """Returns the error for what stands here."""
        return WitError(f"{self.path}: {message}, at byte {self._at:#x}")

    def byte(self) -> int:
        """Returns the next byte.

        Raises:
            WitError: there is none.
        """
        return self.take(1)[0]

    def take(self, count: int) -> bytes:
        """Returns the next bytes.

        Raises:
            WitError: there are fewer.
        """
        if count > len(self._data) - self._at:
            raise self.error("the file ends too early")
        self._at += count
        return self._data[self._at - count : self._at]

    def rest(self) -> bytes:
        """Returns all bytes that are left."""
        return self.take(len(self._data) - self._at)

    def u32(self) -> int:
        """Returns an unsigned number of 32 bits in LEB128.

        Raises:
            WitError: it is longer than that.
        """
        value, _ = self._leb128(5)
        if value >= 2**32:
            raise self.error("a number exceeds 32 bits")
        return value

    def s33(self) -> int:
        """Returns a signed number of 33 bits in LEB128.

        Raises:
            WitError: it is longer than that.
        """
        value, bits = self._leb128(5)
        if value >= 1 << (bits - 1):
            value -= 1 << bits
        if not -(2**32) <= value < 2**32:
            raise self.error("a number exceeds 33 bits")
        return value

    def _leb128(self, most_bytes: int) -> tuple[int, int]:
        value = bits = 0
        for _ in range(most_bytes):
            byte = self.byte()
            value |= (byte & 0x7F) << bits
            bits += 7
            if byte < 0x80:
                return value, bits
        raise self.error("a number is too long")

    def count(self) -> int:
        """Returns how many items follow; each takes a byte at least.

        Raises:
            WitError: there cannot be so many.
        """
        count = self.u32()
        if count > len(self._data) - self._at:
            raise self.error("the file ends too early")
        return count

    def text(self) -> str:
        """Returns a string.

        Raises:
            WitError: it is not UTF-8.
        """
        data = self.take(self.count())
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            raise self.error("a name is not UTF-8") from error
