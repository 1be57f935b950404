"""configfs-tsm at /sys/kernel/config/tsm/report, as the kernel's own behaves.

It differs in three corners. A write of no bytes never reaches it (the kernel: EFAULT, and the
generation counts up). `outblob` and its like cannot be read by pread(2) (the kernel's can). An
attribute takes effect when the first of duplicated descriptors is closed (the kernel: the last).

Faults, one word for each report that is asked for: the name of an errno; `empty`, a report of no
bytes; `short`, which is read in pieces; `rival`, somebody else writes to the entry; `other`, a
report over other data; `debug`, of a machine that may be debugged; `outdated`, of a TDX module
that is; `slow`, it takes a second. `gone`, the provider is unloaded, is looked at
whenever an entry is made, too.

Source: Linux, drivers/virt/coco/guest/report.c and fs/configfs/file.c.
"""

from __future__ import annotations

import errno
import itertools
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.emulation.emulation import Emulation, Place
from tests.emulation.faults import Faults
from tests.emulation.fuse import Caller, Directory, File, Handle, Node, Server
from tests.emulation.hardware import SnpChip, TdxPlatform

REPORTS = "/sys/kernel/config/tsm/report"
_INBLOB_MAX, _PRIVLEVEL_MAX = 64, 3
# TDATTRIBUTES and the guest policy with debugging allowed; SVNs of a level that is out of date.
_TD: Mapping[str, Mapping[str, bytes]] = {
    "debug": {"td_attributes": bytes.fromhex("0100001000000000")},
    "outdated": {"tee_tcb_svn": bytes([4, 1, 2]) + bytes(13)},
}
_SNP: Mapping[str, Mapping[str, int]] = {"debug": {"policy": 0xB0000}}
_PIECE = 100


@dataclass
class Made:
    """What a provider makes: the report, what comes with it, and in which pieces it is read."""

    outblob: bytes
    auxblob: bytes = b""
    piece: int = 1 << 20


@dataclass
class Provider:
    """What the kernel calls to get a report.

    Attributes:
        name: as `provider` says.
        make: makes what an entry asks for; its lock is held.
        floor: the lowest privilege level; None for a provider without levels and without auxblob.
        loaded: whether it is there.
    """

    name: str
    make: Callable[[Report, Caller], Made]
    floor: int | None
    loaded: Callable[[], bool] = lambda: True


@dataclass
class Report:
    """The state of an entry."""

    provider: Provider
    lock: threading.Lock = field(default_factory=threading.Lock)
    written: int = 0
    read: int = 0
    inblob: bytes = b""
    privlevel: int = 0
    made: Made | None = None
    dropped: bool = False

    def write_inblob(self, data: bytes) -> None:
        """Takes effect at close(2), where nobody hears of a failure."""
        with self.lock:
            if not self.dropped:
                self.written += 1
                self.inblob = data

    def write_privlevel(self, text: str) -> None:
        """Takes effect at write(2)."""
        try:
            level = int(text.removesuffix("\n"), 0)
        except ValueError:
            raise OSError(errno.EINVAL, "no number") from None
        if not (self.provider.floor or 0) <= level <= _PRIVLEVEL_MAX:
            raise OSError(errno.EINVAL, "no such level")
        with self.lock:
            self.written += 1
            self.privlevel = level

    def write_option(self, text: str) -> None:
        """Counts; what it means is the SVSM's."""
        del text
        with self.lock:
            self.written += 1

    def get(self, caller: Caller) -> Made:
        """Returns what was made for the last writes, made now if it has to be."""
        with self.lock:
            if self.dropped:
                raise OSError(errno.ENOENT, "removed")
            if not self.inblob:
                raise OSError(errno.EINVAL, "no inblob")
            if not self.provider.loaded():
                raise OSError(errno.ENXIO, "no provider")
            if self.made is None or self.read != self.written:
                self.made = None
                self.made = self.provider.make(self, caller)
                self.read = self.written
            return self.made


@dataclass
class _Shown(Handle):
    """An attribute of text that is open for reading."""

    show: Callable[[], str]
    value: bytes | None = None

    def read(self, caller: Caller, offset: int, size: int) -> bytes:
        del caller, size
        if self.value is None:
            self.value = self.show().encode()
        return self.value[offset:]


@dataclass
class _Stored(Handle):
    """An attribute of text that is open for writing."""

    store: Callable[[str], None]

    def write(self, caller: Caller, offset: int, data: bytes) -> int:
        del caller, offset
        self.store(data[:4095].decode("ascii", "replace"))
        return len(data)


@dataclass
class _Blob(Handle):
    """A binary attribute that is open for reading: a snapshot, taken by the first read."""

    report: Report
    choose: Callable[[Made], bytes]
    value: bytes | None = None
    piece: int = 1 << 20

    def read(self, caller: Caller, offset: int, size: int) -> bytes:
        if self.value is None:
            made = self.report.get(caller)
            self.value, self.piece = self.choose(made), made.piece
        return self.value[offset : offset + min(size, self.piece)]


@dataclass
class _InBlob(Handle):
    """inblob while it is open: what is written takes effect when it is closed."""

    report: Report
    buffer: bytes | None = None

    def write(self, caller: Caller, offset: int, data: bytes) -> int:
        del caller
        # As the kernel does: also a refused write is committed, as it was before.
        self.buffer = self.buffer or b""
        if offset + len(data) > _INBLOB_MAX:
            raise OSError(errno.EFBIG, "more than 64 bytes")
        self.buffer = self.buffer[:offset].ljust(offset, b"\0") + data
        return len(data)

    def flush(self, caller: Caller) -> None:
        del caller
        if self.buffer is not None:
            self.report.write_inblob(self.buffer)
            self.buffer = None


def _attributes(report: Report, provider: Provider) -> dict[str, Node]:
    def shown(show: Callable[[], str]) -> Node:
        return File(lambda *_: _Shown(show), 0o444, size=4096)

    def stored(store: Callable[[str], None]) -> Node:
        return File(lambda *_: _Stored(store), 0o200, size=4096)

    def blob(choose: Callable[[Made], bytes]) -> Node:
        return File(lambda *_: _Blob(report, choose), 0o444, seekable=False)

    attributes = {
        "generation": shown(lambda: f"{report.written}\n"),
        "provider": shown(lambda: f"{provider.name}\n"),
        "inblob": File(lambda *_: _InBlob(report), 0o200, seekable=False),
        "outblob": blob(lambda made: made.outblob),
    }
    if provider.floor is not None:
        attributes["privlevel"] = stored(report.write_privlevel)
        attributes["privlevel_floor"] = shown(lambda: f"{provider.floor}\n")
        attributes["auxblob"] = blob(lambda made: made.auxblob)
    if provider.floor:
        for name in ("service_provider", "service_guid", "service_manifest_version"):
            attributes[name] = stored(report.write_option)
        attributes["manifestblob"] = blob(lambda _: b"")
    return attributes


class Reports(Directory):
    """The directory `report`: mkdir(2) makes an entry, rmdir(2) removes it."""

    def __init__(self, provider: Provider | None) -> None:
        super().__init__()
        self.provider = provider
        self.reports: dict[str, Report] = {}

    def mkdir(self, caller: Caller, name: str) -> Node:
        """Answers mkdir(2)."""
        del caller
        if self.provider is None or not self.provider.loaded():
            raise OSError(errno.ENXIO, "no provider")
        if name in self.children:
            raise OSError(errno.EEXIST, name)
        report = self.reports[name] = Report(self.provider)
        self.children[name] = Directory(_attributes(report, self.provider))
        return self.children[name]

    def rmdir(self, caller: Caller, name: str) -> None:
        """Answers rmdir(2)."""
        del caller
        if self.children.pop(name, None) is None:
            raise OSError(errno.ENOENT, name)
        self.reports.pop(name).dropped = True


@dataclass
class ConfigfsTsm(Emulation):
    """configfs-tsm with a provider that signs by miniature hardware.

    Attributes:
        provider: `tdx_guest`, `sev_guest`, another name for one that nobody knows, or None for a
            kernel without provider.
        floor: the privilege level of a SEV-SNP guest, above 0 under an SVSM.
        certificates: whether the host hands certificates to its SEV-SNP guests.
        seconds: how long a report takes.
    """

    provider: str | None
    floor: int = 0
    certificates: bool = True
    seconds: float = 0.0
    name = "tsm"

    def prepare(self, place: Place) -> None:
        """Makes the directory; a kernel makes it when the first provider's driver is loaded."""
        place.mounts.directory("/sys/kernel/config/tsm")

    def serve(self, place: Place) -> None:
        """Serves."""
        root = Directory({"report": Reports(self._made_of_hardware(place))})
        Server(root, Path("/sys/kernel/config/tsm"), "configfs").serve(place.ready)

    def _made_of_hardware(self, place: Place) -> Provider | None:
        if self.provider is None:
            return None
        faults, counter, sign = Faults(place), itertools.count(1), self._signer(place)

        def make(report: Report, caller: Caller) -> Made:
            place.note(f"report {next(counter)} of {caller.pid} at level {report.privlevel}")
            word = faults.next()
            caller.wait(1.0 if word == "slow" else self.seconds)
            if word == "rival":
                report.written, report.inblob = report.written + 1, b"r" * _INBLOB_MAX
            if len(report.inblob) != _INBLOB_MAX:
                raise OSError(errno.EINVAL, "not 64 bytes")
            data = bytes(_INBLOB_MAX) if word == "other" else report.inblob
            return _wrong(sign(data, report.privlevel, word), word)

        floor = None if self.provider == "tdx_guest" else self.floor
        return Provider(self.provider, make, floor, lambda: place.told() != "gone")

    def _signer(self, place: Place) -> Callable[[bytes, int, str], Made]:
        if self.provider == "tdx_guest":
            platform = TdxPlatform(place.folder)
            return lambda data, _, word: Made(platform.quote(data, **_TD.get(word, {})))
        chip = SnpChip(place.folder)
        table = chip.table() if self.certificates else b""
        return lambda data, level, word: Made(chip.report(data, level, **_SNP.get(word, {})), table)


def _wrong(made: Made, word: str) -> Made:
    if word == "empty":
        return Made(b"", made.auxblob)
    if word == "short":
        return Made(made.outblob, made.auxblob, _PIECE)
    return made
