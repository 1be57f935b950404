"""Runs in a machine with a real kernel, as its only process, and prints what it saw as JSON."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from wasmtime_attestation.attesters import tsm
from wasmtime_attestation.attesters.tpm_client import Tpm
from wasmtime_attestation.attesters.tpm_client_device import CharacterDevice
from wasmtime_attestation.errors import AttestationError

from tests.emulation.tsm_probe import Probe

REPORTS = Path("/sys/kernel/config/tsm/report")
PARAMETERS = Path("/sys/module/provider/parameters")
PCRS = Path("/sys/class/tpm/tpm0/pcr-sha256")
FAULTS = ("EBUSY", "EINTR", "ETIMEDOUT", "EIO", "ENOTTY", "EINVAL")


def said(call: Callable[[], object]) -> str:
    """Returns what a call returned or how it failed."""
    try:
        return str(call())
    except AttestationError as error:
        return f"{type(error).__name__}: {error}"


def collected(report_data: bytes) -> str:
    """Collects, and says whether the report has the data where AMD's have it."""
    attester = tsm.TsmAttester(patience=0.5)
    return said(lambda: attester.collect(report_data).data[0x50:0x90] == report_data)


def module(*command: str) -> None:
    """Loads or unloads a module."""
    subprocess.run(["/bin/busybox", *command], check=True)


def fault(name: str, value: int) -> str:
    """Collects while the provider fails, and again when it does not."""
    (PARAMETERS / name).write_text(f"{value}\n")
    begin = time.monotonic()
    failed = collected(bytes(64))
    seconds = time.monotonic() - begin
    (PARAMETERS / name).write_text("0\n")
    again = collected(os.urandom(64))
    return f"{failed} | {again} | {'in time' if seconds < 20 else seconds}"


def at_once(count: int) -> list[str]:
    """Collects by some threads at once."""
    found = [""] * count

    def one(index: int) -> None:
        found[index] = collected(bytes([index]) * 64)

    threads = [threading.Thread(target=one, args=(index,)) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def tpm() -> dict[str, bool]:
    """Compares what our client reads of the TPM with what the kernel itself reads."""
    with closing(CharacterDevice()) as device:
        read = Tpm(device).pcr_read(range(24))
    kernel = {pcr: bytes.fromhex((PCRS / str(pcr)).read_text()) for pcr in range(24)}
    return {"same": read == kernel, "measured": any(any(value) for value in kernel.values())}


def attested() -> dict[str, object]:
    """Runs the tool."""
    command = (sys.executable, "-m", "wasmtime_attestation", "attest", "vm")
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    return {"code": done.returncode, "parts": done.stdout.count("."), "err": done.stderr[-2000:]}


def main() -> None:
    """Looks at everything."""
    found: dict[str, object] = {"release": os.uname().release, "tpm": tpm()}
    found["without module"] = said(tsm.provider)
    module("insmod", "/modules/tsm.ko")
    found["without provider"] = said(tsm.provider)
    found["collected without provider"] = collected(bytes(64))
    module("insmod", "/modules/provider.ko")
    found["provider"] = said(tsm.provider)
    found["probe"] = Probe(REPORTS).run()
    found["collected"] = collected(os.urandom(64))
    found["level 2"] = said(lambda: tsm.TsmAttester(2).collect(bytes(64)).data[0x30])
    found["at once"] = at_once(16)
    found["faults"] = {name: fault("error", getattr(errno, name)) for name in FAULTS}
    found["faults"] |= {"empty": fault("empty", 1)}  # type: ignore[operator]
    found["attest vm"] = attested()
    found["left"] = os.listdir(REPORTS)  # noqa: PTH208
    module("rmmod", "provider")
    found["after unloading"] = collected(bytes(64))
    print(json.dumps(found))  # noqa: T201


if __name__ == "__main__":
    main()
