"""The TPM's character device over FUSE: one write is one command, reads take its response.

Source: Linux, drivers/char/tpm/tpm-dev-common.c (`tpm_common_write`, `tpm_common_read`) and
tpm-interface.c (`tpm_try_transmit`).
"""

from __future__ import annotations

import errno
from collections.abc import Callable

from tests.emulation.fuse import Caller, Handle

BUFFER_SIZE = WHOLE = 4096
_HEADER_SIZE = 10


class TpmHandle(Handle):
    """One open device.

    Args:
        exchange: takes a command and returns a response; it raises `OSError` as a driver does.
        piece: the most bytes that one read gets.
    """

    def __init__(self, exchange: Callable[[bytes], bytes], piece: int = WHOLE) -> None:
        self._exchange = exchange
        self._piece = piece
        self._response = b""
        self._was_read = True

    def write(self, caller: Caller, offset: int, data: bytes) -> int:
        """Runs a command."""
        del caller, offset
        if len(data) > BUFFER_SIZE:
            raise OSError(errno.E2BIG, "a command has 4096 bytes at most")
        if self._response and not self._was_read:
            raise OSError(errno.EBUSY, "the last response was not read")
        declared = int.from_bytes(data[2:6], "big")
        if len(data) < 6 or declared > len(data) or declared < _HEADER_SIZE:
            raise OSError(errno.EINVAL, "cut off")
        self._response = self._exchange(data[:declared])
        self._was_read = False
        return len(data)

    def read(self, caller: Caller, offset: int, size: int) -> bytes:
        """Hands out what is left of the response."""
        del caller, offset
        self._was_read = True
        size = min(size, self._piece)
        part, self._response = self._response[:size], self._response[size:]
        return part
