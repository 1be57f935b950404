"""Boots a kernel in QEMU with a software TPM, and reads what a program in it says."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.emulation.kernel.debian import Unpacked
from tests.emulation.kernel.initramfs import initramfs, python, search_path
from tests.tools import require

PROGRAM = "tests.emulation.kernel.inside"
# The kernel talks on the first serial line, the program's answer goes to the second.
_INIT = """#!/bin/busybox sh
/bin/busybox mount -t proc none /proc
/bin/busybox mount -t sysfs none /sys
/bin/busybox mount -t devtmpfs none /dev
/bin/busybox insmod /modules/configfs.ko
/bin/busybox mount -t configfs none /sys/kernel/config
export PYTHONPATH={path} PYTHONDONTWRITEBYTECODE=1 HOME=/tmp
{python} -m {program} > /dev/ttyS1
/bin/busybox sync
/bin/busybox poweroff -f
"""


@dataclass(frozen=True)
class Machine:
    """What is booted.

    Attributes:
        unpacked: the packages.
        initrd: the file of the first file system.
    """

    unpacked: Unpacked
    initrd: Path

    def boot(self, seconds: float) -> Any:  # noqa: ANN401  JSON
        """Returns what the program said.

        Raises:
            RuntimeError: the machine did not come to its end.
        """
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            tpm = _swtpm(folder)
            try:
                self._run(folder, seconds)
            finally:
                tpm.kill()
                tpm.wait()
            said = (folder / "answer").read_text(errors="replace").strip()
            if not said.endswith("}"):
                console = (folder / "console").read_text(errors="replace")
                raise RuntimeError(f"the machine said {said[-2000:]!r}; its console:\n{console}")
            return json.loads(said)

    def _run(self, folder: Path, seconds: float) -> None:
        root = self.unpacked.root
        command = [
            *("setpriv", "--pdeathsig", "KILL", "--"),
            *(root / "usr/bin/qemu-system-x86_64", "-accel", "tcg", "-M", "q35", "-cpu", "max"),
            *("-m", "1536", "-smp", "2", "-nodefaults", "-no-user-config", "-display", "none"),
            *("-no-reboot", "-L", root / "usr/share/qemu", "-L", root / "usr/share/seabios"),
            *("-serial", f"file:{folder}/console", "-serial", f"file:{folder}/answer"),
            *("-kernel", self.unpacked.kernel, "-initrd", self.initrd),
            *("-append", "console=ttyS0 panic=-1 quiet"),
            *("-chardev", f"socket,id=tpm,path={folder}/tpm.sock"),
            *("-tpmdev", "emulator,id=tpm0,chardev=tpm", "-device", "tpm-crb,tpmdev=tpm0"),
        ]
        environment = os.environ | self.unpacked.environment()
        qemu = subprocess.Popen([str(word) for word in command], env=environment)
        try:
            qemu.wait(seconds)
        except subprocess.TimeoutExpired:
            pass  # what it said so far comes with the error
        finally:
            qemu.kill()
            qemu.wait()


def machine(unpacked: Unpacked, provider: bytes, folder: Path) -> Machine:
    """Returns a machine.

    Args:
        unpacked: the packages.
        provider: the test's own module.
        folder: where its first file system is written.
    """
    modules = [(name, unpacked.module(name)) for name in ("configfs", "tsm")]
    init = _INIT.format(path=search_path(), python=python(), program=PROGRAM)
    initrd = folder / "initrd"
    initrd.write_bytes(initramfs(init, [*modules, ("provider", provider)]))
    return Machine(unpacked, initrd)


def _swtpm(folder: Path) -> subprocess.Popen[bytes]:
    control, state = folder / "tpm.sock", folder / "tpm"
    state.mkdir()
    process = subprocess.Popen(
        [
            *("setpriv", "--pdeathsig", "KILL", "--", require("swtpm"), "socket", "--tpm2"),
            *("--tpmstate", f"dir={state}", "--ctrl", f"type=unixio,path={control}"),
            "--terminate",
        ]
    )
    deadline = time.monotonic() + 10
    while not control.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    return process
