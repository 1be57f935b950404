"""configfs-tsm with the provider of the transcript: plain reports, signed by nobody."""

from __future__ import annotations

from pathlib import Path

from tests.emulation.emulation import Emulation, Place
from tests.emulation.fuse import Caller, Directory, Server
from tests.emulation.tsm import Made, Provider, Report, Reports

_SIZE, _LEVEL, _REPORT_DATA = 1184, 0x30, 0x50


class PlainTsm(Emulation):
    """Its reports have privilege level and inblob where AMD's have them."""

    name = "tsm"

    def prepare(self, place: Place) -> None:
        """Makes the directory."""
        place.mounts.directory("/sys/kernel/config/tsm")

    def serve(self, place: Place) -> None:
        """Serves."""
        root = Directory({"report": Reports(Provider("sev_guest", _make, floor=0))})
        Server(root, Path("/sys/kernel/config/tsm"), "configfs").serve(place.ready)


def _make(report: Report, caller: Caller) -> Made:
    del caller
    made = bytearray(_SIZE)
    made[_LEVEL] = report.privlevel
    made[_REPORT_DATA : _REPORT_DATA + len(report.inblob)] = report.inblob
    return Made(bytes(made), b"CERTS")
