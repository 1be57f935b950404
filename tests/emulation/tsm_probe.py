"""Makes every system call on configfs-tsm that tells one implementation from another.

    python -m tests.emulation.tsm_probe DIRECTORY

prints what it sees, a line each, in the words of the transcript that a real kernel left
(`facts/oracle_tsm_linux_6.12.95.txt`). It needs nothing but the standard library.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path

A, B = b"a" * 64, b"b" * 65


class Probe:
    """What is seen in one directory of reports."""

    def __init__(self, reports: Path) -> None:
        self.reports, self.entry = reports, reports / "e1"
        self.lines: list[str] = []
        self.generation: int | None = None

    def said(self, label: str, call: Callable[[], object]) -> object:
        """Notes what a call returned, or how it failed."""
        try:
            result = call()
        except OSError as error:
            self.lines.append(f"{label} -> {errno.errorcode[error.errno or 0]}")
            return None
        if isinstance(result, bytes):
            number = len(result)
        else:
            number = result if isinstance(result, int) else 0
        self.lines.append(f"{label} -> {number}")
        return result

    def open(self, attribute: str, flags: int) -> int:
        """Opens an attribute."""
        return os.open(self.entry / attribute, flags)

    def opened(self, label: str, attribute: str, flags: int) -> None:
        """Notes whether an attribute can be opened."""
        self.said(label, lambda: os.close(self.open(attribute, flags)))

    def write(self, label: str, attribute: str, data: bytes) -> None:
        """Notes what a write and the close after it return."""
        try:
            descriptor = self.open(attribute, os.O_WRONLY)
        except OSError as error:
            self.lines.append(f"{label} -> {errno.errorcode[error.errno or 0]}")
            return
        self.said(label, lambda: os.write(descriptor, data))
        self.said("  close", lambda: os.close(descriptor))

    def text(self, attribute: str) -> None:
        """Notes an attribute's text; of the generation, by how much it went up."""
        with (self.entry / attribute).open() as file:
            value = file.read().strip()
        if attribute != "generation":
            self.lines.append(f"{attribute} = {value}")
            return
        before, self.generation = self.generation, int(value)
        if before is None or self.generation < before:
            self.lines.append(f"generation {value}")
        else:
            self.lines.append(f"generation +{self.generation - before}")

    def blob(self, label: str, attribute: str) -> None:
        """Notes what is in a blob: of a report, where REPORT_DATA and the level are."""
        descriptor = self.open(attribute, os.O_RDONLY)
        try:
            data = os.read(descriptor, 4096)
        except OSError as error:
            self.lines.append(f"{label} -> {errno.errorcode[error.errno or 0]}")
        else:
            first, last = (data[0x50], data[0x8F]) if len(data) > 0x90 else (0, 0)
            level = data[0x30] if len(data) > 0x34 else -1
            self.lines.append(
                f"{label} -> {len(data)} bytes rd[0]={first:02x} rd[63]={last:02x} priv={level}"
            )
        finally:
            os.close(descriptor)

    def run(self) -> list[str]:
        """Returns what was seen."""
        self._before_the_entry()
        self._attributes()
        self._inblobs()
        self._truncated_and_snapshot()
        self._levels_and_the_forbidden()
        self._removed()
        self._duplicated()
        return self.lines

    def _before_the_entry(self) -> None:
        new, flags = self.reports / "f", os.O_CREAT | os.O_WRONLY
        self.said("create file in report/", lambda: os.open(new, flags, 0o600))
        self.said("symlink in report/", lambda: (self.reports / "l").symlink_to("x"))
        self.said("mkdir", lambda: self.entry.mkdir(0o700))
        self.said("mkdir again", lambda: self.entry.mkdir(0o700))

    def _attributes(self) -> None:
        for attribute in sorted(self.entry.iterdir()):
            self.lines.append(f"{attribute.name} mode={attribute.stat().st_mode:o}")
        for name in ("provider", "generation", "privlevel_floor"):
            self.text(name)
        self.blob("outblob before inblob", "outblob")
        self.blob("auxblob before inblob", "auxblob")
        self.opened("open inblob RDONLY", "inblob", os.O_RDONLY)
        self.opened("open outblob WRONLY", "outblob", os.O_WRONLY)
        self.opened("open inblob RDWR", "inblob", os.O_RDWR)

    def _inblobs(self) -> None:
        self.write("inblob 64", "inblob", A)
        self.text("generation")
        self.blob("outblob", "outblob")
        self.blob("auxblob", "auxblob")
        self.text("generation")
        self.write("inblob 65", "inblob", B)
        self.text("generation")
        self.blob("outblob after EFBIG", "outblob")
        self.write("inblob 8", "inblob", B[:8])
        self.text("generation")
        self.blob("outblob short", "outblob")
        self.write("inblob 0", "inblob", b"")
        self.text("generation")

    def _truncated_and_snapshot(self) -> None:
        descriptor = self.open("inblob", os.O_WRONLY)
        self.said("two writes 32", lambda: os.write(descriptor, A[:32]))
        self.said("  +32", lambda: os.write(descriptor, B[:32]))
        self.text("generation")
        os.close(descriptor)
        self.text("generation")
        self.blob("outblob 2 writes", "outblob")
        descriptor = self.open("inblob", os.O_WRONLY | os.O_TRUNC)
        self.lines.append("O_TRUNC open -> 0")
        self.said(" write", lambda: os.write(descriptor, B[:64]))
        self.text("generation")
        os.close(descriptor)
        self.text("generation")
        descriptor = self.open("outblob", os.O_RDONLY)
        self.said("read 16", lambda: os.read(descriptor, 16))
        self.said("lseek", lambda: os.lseek(descriptor, 0, os.SEEK_SET))
        self.write("inblob again", "inblob", A)
        rest = self.said("rest same fd", lambda: os.read(descriptor, 4096))
        if isinstance(rest, bytes):
            self.lines.append(f"snapshot rd[0]={rest[0x40]:02x}")
        self.said("eof", lambda: os.read(descriptor, 10))
        piece = self.said("pread", lambda: os.pread(descriptor, 16, 0x50))
        self.lines.append(
            f"pread byte {piece[0]:02x}" if isinstance(piece, bytes) else "pread byte"
        )
        os.close(descriptor)

    def _levels_and_the_forbidden(self) -> None:
        self.write("privlevel 2", "privlevel", b"2")
        self.text("generation")
        self.blob("outblob priv 2", "outblob")
        self.write("privlevel 4", "privlevel", b"4")
        self.write("privlevel x", "privlevel", b"x")
        self.write("privlevel 0x1\\n", "privlevel", b"0x1\n")
        self.text("generation")
        self.write("provider write", "provider", b"x")
        inblob = self.entry / "inblob"
        self.said("unlink attr", inblob.unlink)
        self.said("rename", lambda: inblob.rename("/zz"))
        self.said("chmod attr", lambda: inblob.chmod(0o666))
        self.said("chmod back", lambda: inblob.chmod(0o200))
        self.said("mkdir inside entry", lambda: (self.entry / "sub").mkdir(0o700))

    def _removed(self) -> None:
        reading, writing = self.open("outblob", os.O_RDONLY), self.open("inblob", os.O_WRONLY)
        self.said("rmdir with open fds", self.entry.rmdir)
        self.said("read after rmdir", lambda: os.read(reading, 16))
        self.said("write after rmdir", lambda: os.write(writing, A))
        self.said(" close", lambda: os.close(writing))
        os.close(reading)
        self.said("stat after rmdir", self.entry.stat)

    def _duplicated(self) -> None:
        self.entry.mkdir(0o700)
        first = self.open("inblob", os.O_WRONLY)
        second = os.dup(first)
        self.said("dup write", lambda: os.write(first, A))
        os.close(first)
        self.text("generation")
        os.close(second)
        self.text("generation")
        self.said("rmdir", self.entry.rmdir)


if __name__ == "__main__":
    print("\n".join(Probe(Path(sys.argv[1])).run()))  # noqa: T201
