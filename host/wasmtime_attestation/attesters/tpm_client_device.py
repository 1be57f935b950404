"""The TPM's character device: one write is one command, one read its response.

The driver bounds the time of each command by itself.

Source: Linux, `drivers/char/tpm/tpm-dev-common.c`; Documentation/security/tpm.
"""

from __future__ import annotations

import errno
import fcntl
import grp
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from wasmtime_attestation.attesters.tpm_client_wire import HEADER_SIZE, MAX_SIZE
from wasmtime_attestation.errors import UnavailableError, UnsupportedError

PATH = "/dev/tpmrm0"
"""The TPM behind the kernel's resource manager, which lets programs share it."""

_PATIENCE = 10.0
_PAUSE = 0.05
_UDEV = 'a udev rule such as KERNEL=="tpmrm[0-9]*", GROUP="tss", MODE="0660" gives it to group tss'
_CONTAINER = "in a container, pass it in with --device"
_MEANINGS = {
    errno.EBUSY: "another program holds the TPM, and kept holding it; try again",
    errno.ENODEV: "the TPM was removed, or its driver unbound",
    errno.ENXIO: "there is a node, but no driver behind it",
    errno.EIO: "the driver could not talk to the TPM; the kernel's log says more",
    errno.ETIME: "the TPM did not answer in time",
    errno.ETIMEDOUT: "the TPM did not answer in time",
    errno.EPIPE: "the TPM was shut down",
}


class CharacterDevice:
    """An open device; `opened` closes it too.

    Args:
        path: of the device.

    Raises:
        UnsupportedError: there is no such device.
        UnavailableError: it cannot be opened.
    """

    def __init__(self, path: str = PATH) -> None:
        self._path = path
        self._fd = _open(path)

    def close(self) -> None:
        """Closes it, and gives the lock back."""
        os.close(self._fd)

    def exchange(self, command: bytes) -> bytes:
        """Writes a command and reads the response.

        Raises:
            UnavailableError: the driver failed, or the response is cut or too long.
        """
        try:
            written = os.write(self._fd, command)
            if written != len(command):
                raise UnavailableError(
                    f"{self._path} took {written} of the {len(command)} bytes of a command"
                )
            return self._read()
        except OSError as error:
            raise UnavailableError(explain(error, self._path)) from error

    def try_lock(self) -> bool:
        """Takes the advisory lock on the device; False if another has it."""
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            raise UnavailableError(explain(error, self._path)) from error
        return True

    def unlock(self) -> None:
        """Gives the advisory lock back."""
        fcntl.flock(self._fd, fcntl.LOCK_UN)

    def _read(self) -> bytes:
        """Reads until the declared size is there; the driver hands out parts if it likes."""
        response = b""
        expected = HEADER_SIZE
        while len(response) < expected:
            part = os.read(self._fd, MAX_SIZE)
            if not part:
                raise UnavailableError(
                    f"{self._path} gave {len(response)} bytes of a response and no more"
                )
            response += part
            if len(response) >= HEADER_SIZE:
                expected = int.from_bytes(response[2:6], "big")
            if max(len(response), expected) > MAX_SIZE:
                raise UnavailableError(f"{self._path} gave a response of over {MAX_SIZE} bytes")
        return response


def _open(path: str) -> int:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            return os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise UnsupportedError(_absent(path)) from error
        except OSError as error:
            if error.errno != errno.EBUSY or time.monotonic() > deadline:
                raise UnavailableError(explain(error, path)) from error
        time.sleep(_PAUSE)


def _absent(path: str) -> str:
    older = path.replace("tpmrm", "tpm")
    if older != path and os.path.exists(older):  # noqa: PTH110
        return (
            f"there is {older} but no {path}: it is a TPM 1.2, or a kernel without the resource "
            "manager"
        )
    return f"there is no {path}: this machine has no TPM 2.0, or no driver for it; {_CONTAINER}"


def explain(error: OSError, path: str = PATH) -> str:
    """Says what an error of the device means and what to do."""
    name = errno.errorcode.get(error.errno or 0, str(error.errno))
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"{path} may not be opened ({name}): {_remedy(path, error.errno)}"
    meaning = _MEANINGS.get(error.errno or 0, os.strerror(error.errno or 0))
    return f"{path} failed ({name}): {meaning}"


def _remedy(path: str, number: int) -> str:
    if number == errno.EPERM:
        return f"a device filter keeps this process from it; {_CONTAINER}"
    with suppress(OSError, KeyError):
        status = os.stat(path)  # noqa: PTH116
        if status.st_gid and status.st_mode & stat.S_IRGRP and status.st_mode & stat.S_IWGRP:
            group = grp.getgrgid(status.st_gid).gr_name
            return (
                f"it belongs to group {group}; add the user to it (`usermod -aG {group} USER`, "
                f"then log in again), or run as root; {_CONTAINER} and --group-add"
            )
    return f"run as root, or open it to a group: {_UDEV}"


@contextmanager
def opened(path: str = PATH) -> Iterator[CharacterDevice]:
    """Opens the device for a while.

    Raises:
        UnsupportedError: there is no such device.
        UnavailableError: it cannot be opened.
    """
    device = CharacterDevice(path)
    try:
        yield device
    finally:
        device.close()
