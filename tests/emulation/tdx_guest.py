"""/dev/tdx_guest: TDREPORTs by TDX_CMD_GET_REPORT0.

Faults, one word for each ioctl: the name of an errno.

Source: Linux, include/uapi/linux/tdx-guest.h and drivers/virt/coco/tdx-guest/tdx-guest.c.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass
from pathlib import Path

from tests.emulation.emulation import Emulation, Place
from tests.emulation.faults import Faults
from tests.emulation.fuse import Caller, File, Handle, Server
from tests.emulation.hardware import td_report

DEVICE = "/dev/tdx_guest"
# <linux/tdx-guest.h>, as a C compiler computes it.
TDX_CMD_GET_REPORT0 = 0xC4405401


@dataclass
class _Driver(Handle):
    faults: Faults

    def ioctl(
        self, caller: Caller, command: int, argument: int, data: bytes, size: int
    ) -> tuple[int, bytes]:
        del caller, argument, size
        if command != TDX_CMD_GET_REPORT0:
            raise OSError(errno.ENOTTY, "no such ioctl")
        self.faults.next()
        return 0, data[:64] + td_report(data[:64])


class TdxGuest(Emulation):
    """A TD's device."""

    name = "tdx-guest"

    def prepare(self, place: Place) -> None:
        """Makes the node."""
        place.mounts.file(DEVICE)

    def serve(self, place: Place) -> None:
        """Serves."""
        driver = _Driver(Faults(place))
        Server(File(lambda *_: driver, 0o600), Path(DEVICE)).serve(place.ready)
