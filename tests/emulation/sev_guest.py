"""/dev/sev-guest: the kernel's driver, the host and the firmware behind it.

Faults, one word for each ioctl: the name of an errno, without an error of host or firmware;
`throttled` and `failed`, errors of the host and of the firmware, after which the key is wiped and
all further requests get ENOTTY; `refused`, the firmware answers by a status; `larger`, its report
has more bytes; `other`, a report over other data; `broken`, a table that points out of itself.

Source: Linux, drivers/virt/coco/sev-guest/sev-guest.c and include/uapi/linux/sev-guest.h.
"""

from __future__ import annotations

import errno
import struct
from dataclasses import dataclass
from pathlib import Path

from tests.emulation.emulation import Emulation, Place
from tests.emulation.faults import Faults
from tests.emulation.fuse import Caller, File, Handle, Server
from tests.emulation.hardware import SnpChip

DEVICE = "/dev/sev-guest"
VMPL = "/sys/devices/system/cpu/sev/vmpl"
PAGE = 4096
# <linux/sev-guest.h>, as a C compiler computes them.
SNP_GET_REPORT, SNP_GET_EXT_REPORT = 0xC0205300, 0xC0205302
_IOCTL = struct.Struct("<B7xQQQ")
_NO_FIRMWARE_CALL = 0xFF
_INVALID_PARAM = 0x16


@dataclass
class SevGuest(Emulation):
    """A SEV-SNP guest's device.

    Attributes:
        certificates: whether the host has a certificate table.
        pages: how many pages the host wants for it.
        kernel_pages: how many pages the kernel takes at most.
        vmpl: the guest's privilege level; a report of a lower one is refused.
        says_vmpl: whether the kernel says so in /sys.
    """

    certificates: bool = True
    pages: int = 1
    kernel_pages: int = 4
    vmpl: int = 0
    says_vmpl: bool = True
    name = "sev-guest"

    def prepare(self, place: Place) -> None:
        """Makes the node and the file that says the level."""
        place.mounts.file(DEVICE)
        if self.says_vmpl:
            place.mounts.file(VMPL, f"{self.vmpl}\n".encode())

    def serve(self, place: Place) -> None:
        """Serves."""
        driver = _Driver(self, place)
        Server(File(lambda *_: driver, 0o600), Path(DEVICE)).serve(place.ready)


@dataclass
class _Asked:
    """A request as it lies in the caller's memory."""

    caller: Caller
    message_version: int
    request: int
    response: int


class _Driver(Handle):
    """The driver; every open shares it."""

    def __init__(self, guest: SevGuest, place: Place) -> None:
        self._guest, self._place = guest, place
        self._faults = Faults(place)
        self._chip = SnpChip(place.folder)
        self._wiped = False

    def ioctl(
        self, caller: Caller, command: int, argument: int, data: bytes, size: int
    ) -> tuple[int, bytes]:
        del argument, size
        version, request, response, _ = _IOCTL.unpack(data)
        if not version:
            raise OSError(errno.EINVAL, "no message version")
        if command not in (SNP_GET_REPORT, SNP_GET_EXT_REPORT):
            raise OSError(errno.ENOTTY, "no such ioctl")
        if not (request and response):
            raise OSError(errno.EINVAL, "no address")
        asked = _Asked(caller, version, request, response)
        result, exit_info = self._answer(asked, command)
        return result, _IOCTL.pack(version, request, response, exit_info)

    def _answer(self, asked: _Asked, command: int) -> tuple[int, int]:
        extended = command == SNP_GET_EXT_REPORT
        raw = asked.caller.read_memory(asked.request, 112 if extended else 96)
        address, length = struct.unpack_from("<QI", raw, 96) if extended else (0, 0)
        self._place.note(f"ioctl {command:#x} {length}")
        if length and address and (length % PAGE or length > self._guest.kernel_pages * PAGE):
            return -errno.EINVAL, _NO_FIRMWARE_CALL
        if self._wiped:
            return -errno.ENOTTY, _NO_FIRMWARE_CALL
        word = self._faults.next()
        if word in ("throttled", "failed"):
            self._wiped = True
            return -errno.EIO, 2 << 32 if word == "throttled" else 0x11
        needed = self._guest.pages * PAGE if self._guest.certificates else 0
        if extended and address and length < needed:
            asked.caller.write_memory(asked.request + 104, struct.pack("<I", needed))
            return -errno.EIO, 1 << 32
        if extended and address and length:
            table = self._table(word).ljust(length, b"\0")
            asked.caller.write_memory(address, table)
        asked.caller.write_memory(asked.response, self._response(raw, word))
        return 0, 0

    def _table(self, word: str) -> bytes:
        if not self._guest.certificates:
            return b""
        table = self._chip.table()
        # The offset of the first entry.
        return table[:16] + b"\xff" * 4 + table[20:] if word == "broken" else table

    def _response(self, request: bytes, word: str) -> bytes:
        (vmpl,) = struct.unpack_from("<I", request, 64)
        refused = not self._guest.vmpl <= vmpl <= 3 or any(request[68:96]) or word == "refused"
        if refused:
            return struct.pack("<II", _INVALID_PARAM, 0).ljust(4000, b"\0")
        report = self._chip.report(bytes(64) if word == "other" else request[:64], vmpl)
        size = len(report) + (16 if word == "larger" else 0)
        return (struct.pack("<II24x", 0, size) + report).ljust(4000, b"\0")
