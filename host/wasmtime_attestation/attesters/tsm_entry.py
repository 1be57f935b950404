"""One entry of configfs-tsm: a directory that stands for one report, made and removed.

The kernel's rules that matter here: a binary attribute takes effect when it is closed, and close(2)
succeeds even where that fails; every write of an attribute counts `generation` up; only rmdir(2)
removes an entry.

Source: Linux, Documentation/ABI/testing/configfs-tsm-report and drivers/virt/coco/guest/report.c.
"""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from wasmtime_attestation.attesters import tsm_names
from wasmtime_attestation.attesters.system_calls import opened, patiently, read_whole, unavailable
from wasmtime_attestation.errors import UnavailableError, UnsupportedError

log = logging.getLogger(__name__)

REPORTS = Path("/sys/kernel/config/tsm/report")
MAX_BLOB = 1 << 18
"""Bytes that are read of a report or certificate table; the kernel's buffers have 128 KiB."""

_MAX_TEXT = 4096
_MAKING: Mapping[int, str] = {
    errno.ENOENT: "configfs-tsm is not there: mount configfs (mount -t configfs none "
    "/sys/kernel/config) and load the guest's driver (modprobe tdx_guest, or sev-guest); "
    "it takes Linux 6.7 or newer",
    errno.EROFS: "/sys is mounted read-only, as in a container: mount configfs writable in it",
    errno.EACCES: "only root may ask for reports: run as root",
    errno.EPERM: "only root may ask for reports: run as root",
}
_USING: Mapping[int, str] = {
    errno.EBUSY: "a former request is still in flight at the host, and did not end in time; "
    "try again later",
    errno.EINVAL: "the provider refused the request: under an SVSM ask for a privilege level "
    "that this guest may have, and see the kernel's log",
    errno.EIO: "the host or its firmware failed to make the report: see the kernel's log (dmesg)",
    errno.ENOTTY: "the guest's key to the firmware was wiped after an error of the firmware; "
    "only a reboot of the virtual machine brings it back",
    errno.ETIMEDOUT: "the host did not answer in the kernel's time: it throttles requests, or its "
    "service for quotes does not run; ask who operates the host, and try again later",
    errno.EFBIG: f"it has more than {MAX_BLOB} bytes, so it is not what this release knows",
    errno.ENOENT: "the entry was removed while it was in use; try again",
}


@dataclass
class Entry:
    """An entry.

    Attributes:
        folder: its directory.
        writes: how many of its attributes were written.
    """

    folder: Path
    writes: int = 0

    def has(self, attribute: str) -> bool:
        """Whether its provider has an attribute."""
        return (self.folder / attribute).exists()

    def text(self, attribute: str) -> str:
        """Reads an attribute of one line.

        Raises:
            UnavailableError: it cannot be read, or is no text.
        """
        value = self.blob(attribute, 0.0, _MAX_TEXT).rstrip(b"\n")
        if not value.isascii():
            raise UnavailableError(f"{attribute} of configfs-tsm is no text: {value[:40]!r}")
        return value.decode("ascii")

    def number(self, attribute: str) -> int:
        """Reads an attribute that is a decimal number.

        Raises:
            UnavailableError: it cannot be read, or is no number.
        """
        value = self.text(attribute)
        if not value.isdecimal() or len(value) > 20:
            raise UnavailableError(f"{attribute} of configfs-tsm is no number: {value[:40]!r}")
        return int(value)

    def blob(self, attribute: str, deadline: float, limit: int = MAX_BLOB) -> bytes:
        """Reads an attribute to its end; this is what makes the kernel ask for the report.

        Args:
            attribute: its name.
            deadline: of `time.monotonic`, until which a busy provider is asked again.
            limit: how many bytes it may have.

        Raises:
            UnavailableError: it cannot be read.
        """
        path = self.folder / attribute
        try:
            return patiently(lambda: read_whole(path, limit), deadline)
        except OSError as error:
            raise unavailable(f"cannot read {attribute} of configfs-tsm", error, _USING) from error

    def write(self, attribute: str, value: bytes) -> None:
        """Writes an attribute at once, and closes it.

        Raises:
            UnavailableError: it cannot be written.
        """
        self.writes += 1
        try:
            with opened(self.folder / attribute, os.O_WRONLY) as descriptor:
                written = os.write(descriptor, value)
        except OSError as error:
            raise unavailable(f"cannot write {attribute} of configfs-tsm", error, _USING) from error
        if written != len(value):
            raise UnavailableError(
                f"{attribute} of configfs-tsm took {written} of {len(value)} bytes; try again"
            )


@contextmanager
def entry() -> Iterator[Entry]:
    """Makes an entry of a name that nobody else has, and removes it in every case.

    Raises:
        UnsupportedError: the kernel knows no provider of reports.
        UnavailableError: configfs-tsm is not there or may not be used.
    """
    tsm_names.remove_leftovers(REPORTS)
    folder = REPORTS / tsm_names.new()
    try:
        _make(folder)
        yield Entry(folder)
    finally:
        _remove(folder)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700)
    except OSError as error:
        if error.errno == errno.ENXIO:
            raise UnsupportedError(
                "configfs-tsm has no provider of reports (ENXIO): this is no confidential virtual "
                "machine that its kernel knows, or the guest's driver is not loaded (modprobe "
                "tdx_guest, or sev-guest)"
            ) from error
        raise unavailable("cannot make an entry in configfs-tsm", error, _MAKING) from error


def _remove(folder: Path) -> None:
    try:
        folder.rmdir()
    except FileNotFoundError:
        pass  # it was never made, or somebody else removed it
    except OSError as error:
        log.warning(
            "an entry of configfs-tsm is left behind (rmdir %s removes it): %s", folder, error
        )
