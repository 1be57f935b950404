"""The namespace itself: what is inside, what stays outside, and that nothing is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.emulation.hello import Failing, Hello
from tests.emulation.namespace import ROOT, Namespace

DEV = "fd full fuse hello null random shm stderr stdin stdout tty urandom zero"


def test_a_file_at_a_path_of_dev() -> None:
    with Namespace([Hello()]) as machine:
        assert machine.run("cat", "/dev/hello").out == "hello \n"
        machine.tell("hello", "again")
        assert machine.run("cat", "/dev/hello").out == "hello again\n"
        assert machine.run("sh", "-c", "echo so long > /dev/hello").code == 0
        assert machine.notes("hello") == ["so long"]
        assert machine.run("ls", "/dev").out.split() == DEV.split()
    assert not Path("/dev/hello").exists()


IOCTL = """
import ctypes, errno, fcntl, os
source, target = ctypes.create_string_buffer(b"abcde"), ctypes.create_string_buffer(5)
argument = bytearray()
for buffer in (source, target):
    argument += ctypes.addressof(buffer).to_bytes(8, "little")
device = os.open("/dev/hello", os.O_RDWR)
try:
    fcntl.ioctl(device, 0xC0105400, argument, True)
except OSError as error:
    assert error.errno == errno.EIO
assert target.raw == b"edcba", target.raw
assert argument[:8] == bytes(8)
try:
    fcntl.ioctl(device, 0xC0105400, argument, True)
except OSError as error:
    assert error.errno == errno.EFAULT
    print("so")
"""


def test_ioctls_reach_the_callers_memory() -> None:
    with Namespace([Hello()]) as machine:
        outcome = machine.run(sys.executable, "-c", IOCTL)
        assert (outcome.code, outcome.out) == (0, "so\n"), outcome.err


def test_files_anywhere_and_a_network_of_its_own() -> None:
    files = {
        "/etc/example.conf": b"a",
        "/proc/cpuinfo": b"b",
        "/sys/kernel/security/tpm0/binary_bios_measurements": b"c",
        "/sys/firmware/acpi/tables/data/CCEL": b"d",
    }
    with Namespace(files=files, hosts=["vendor.example"], hidden=["/etc/passwd"]) as machine:
        assert machine.run("cat", *files).out == "abcd"
        assert machine.run("ls", "-A", "/sys/kernel/config").out == ""
        assert machine.run("getent", "hosts", "vendor.example").out.split()[0] == "127.0.0.1"
        assert machine.run("test", "-e", "/etc/passwd").code == 1
        assert machine.run("test", "-e", "/etc/group").code == 0
        listen = "import socket; print(socket.create_server(('169.254.169.254', 80)).fileno() > 0)"
        assert machine.run(sys.executable, "-c", listen).out == "True\n"
        assert machine.run("cat", "/proc/net/route").out.count("\n") == 1
    assert not Path("/etc/example.conf").exists()


def test_a_namespace_that_cannot_start_says_why() -> None:
    with pytest.raises(RuntimeError, match="did not start"), Namespace([Failing()]):
        pass


def test_nothing_outlives_the_test(tmp_path: Path) -> None:
    program = (
        "import time\n"
        "from tests.emulation.namespace import Namespace\n"
        "from tests.emulation.hello import Hello\n"
        "with Namespace([Hello()]) as machine:\n"
        "    command = machine.start('sleep', '1000')\n"
        "    print(command.pid, machine._first.pid, flush=True)\n"
        "    time.sleep(1000)\n"
    )
    test = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        # What only its own end would remove goes with this test's folder.
        env=os.environ | {"TMPDIR": str(tmp_path)},
    )
    assert test.stdout is not None
    pids = [int(word) for word in test.stdout.readline().split()]
    pids += _children(pids[1])
    assert len(pids) == 3
    test.send_signal(signal.SIGKILL)
    test.wait()
    test.stdout.close()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and any(map(_alive, pids)):
        time.sleep(0.02)
    assert [pid for pid in pids if _alive(pid)] == []


def _children(pid: int) -> list[int]:
    return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
