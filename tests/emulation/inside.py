"""The first process of a namespace: it builds it, starts the emulations, and ends with the test.

    unshare -mn --propagation private python -m tests.emulation.inside

Standard input begins with a pickled `Plan`; its end, which comes also when the test dies, ends
everything. Standard output says when all is ready.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import pickle
import select
import signal
import socket
import struct
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.emulation.emulation import Emulation, Place
from tests.emulation.mounts import Mounts

IMDS = "169.254.169.254"
READY = b"ready\n"
_PATIENCE = 20
_PR_SET_PDEATHSIG = 1
_SIOCSIFADDR, _SIOCGIFFLAGS, _SIOCSIFFLAGS = 0x8916, 0x8913, 0x8914
_IFF_UP = 1


@dataclass(frozen=True)
class Plan:
    """What a namespace has.

    Attributes:
        folder: where the test reads along.
        emulations: in the order of their start.
        files: content by path.
        hidden: paths that must not exist.
        hosts: names that are this machine.
    """

    folder: Path
    emulations: tuple[Emulation, ...]
    files: Mapping[str, bytes]
    hidden: tuple[str, ...]
    hosts: tuple[str, ...]


def main() -> None:
    """Builds, starts, says so, and waits for the end of standard input."""
    plan: Plan = pickle.load(sys.stdin.buffer)  # noqa: S301  the test's own
    mounts = Mounts(plan.folder / "stash")
    started: list[int] = []
    try:
        _build(plan, mounts)
        places = [Place(plan.folder / e.name, mounts) for e in plan.emulations]
        for emulation, place in zip(plan.emulations, places, strict=True):
            emulation.prepare(place)
        started.extend(map(_start, plan.emulations, places))
        os.write(1, READY)
        sys.stdin.buffer.read()
    finally:
        for process in started:
            os.killpg(process, signal.SIGKILL)


def _build(plan: Plan, mounts: Mounts) -> None:
    _loopback()
    mounts.begin()
    for path in plan.hidden:
        mounts.hide(path)
    names = " ".join(("localhost", *plan.hosts))
    mounts.file("/etc/hosts", f"127.0.0.1 {names}\n::1 localhost\n".encode())
    for path, content in plan.files.items():
        mounts.file(path, content)


def _loopback() -> None:
    """Brings loopback up, with the address of the cloud's metadata service beside its own."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        flags = fcntl.ioctl(control, _SIOCGIFFLAGS, struct.pack("16sH14x", b"lo", 0))
        up = struct.unpack_from("16sH", flags)[1] | _IFF_UP
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", up))
        address = struct.pack("HH4s8x", socket.AF_INET, 0, socket.inet_aton(IMDS))
        fcntl.ioctl(control, _SIOCSIFADDR, struct.pack("16s16s", b"lo:1", address))


def _start(emulation: Emulation, place: Place) -> int:
    """Starts an emulation and waits until it answers; returns its process, a group of its own."""
    listening, place._ready = os.pipe()
    parent = os.getpid()
    process = os.fork()
    if process == 0:
        os.close(listening)
        _serve(emulation, place, parent)
    os.close(place._ready)
    said = select.select([listening], [], [], _PATIENCE)[0] and os.read(listening, 1)
    os.close(listening)
    if not said:
        os.kill(process, signal.SIGKILL)
        raise RuntimeError(f"the emulation {emulation.name} did not start")
    return process


def _serve(emulation: Emulation, place: Place, parent: int) -> None:
    os.setpgid(0, 0)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    os.dup2(2, 1)
    try:
        emulation.serve(place)
    except BaseException:  # noqa: BLE001  whatever it is, this process ends here
        traceback.print_exc()
    finally:
        os._exit(1)


if __name__ == "__main__":
    main()
