"""A device that greets, for the tests of the namespace, and one that never starts."""

from __future__ import annotations

import errno
from pathlib import Path

from tests.emulation.emulation import Emulation, Place
from tests.emulation.fuse import Caller, File, Handle, Server


class Greeting(Handle):
    def __init__(self, place: Place) -> None:
        self.place = place

    def read(self, caller: Caller, offset: int, size: int) -> bytes:
        del caller, size
        return f"hello {self.place.told()}\n".encode()[offset:]

    def write(self, caller: Caller, offset: int, data: bytes) -> int:
        del caller, offset
        self.place.note(data.decode().strip())
        return len(data)

    def ioctl(
        self, caller: Caller, command: int, argument: int, data: bytes, size: int
    ) -> tuple[int, bytes]:
        """Copies a byte of the caller's memory to where an address in the structure says."""
        del argument, size
        if command != 0xC0105400:
            raise OSError(errno.ENOTTY, "no such ioctl")
        source, target = (int.from_bytes(data[at : at + 8], "little") for at in (0, 8))
        caller.write_memory(target, caller.read_memory(source, 5)[::-1])
        return -errno.EIO, bytes(8) + data[8:]


class Hello(Emulation):
    name = "hello"

    def prepare(self, place: Place) -> None:
        place.mounts.file("/dev/hello")

    def serve(self, place: Place) -> None:
        Server(File(lambda *_: Greeting(place)), Path("/dev/hello")).serve(place.ready)


class Failing(Emulation):
    name = "failing"

    def serve(self, place: Place) -> None:
        del place
        raise ValueError("on purpose")
