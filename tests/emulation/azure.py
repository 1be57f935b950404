"""A confidential VM of Azure: vTPM, paravisor and metadata service at their production paths.

    with Namespace([AzureVm("snp")]) as machine:
        machine.cli("attest", "vm")
        machine.tell("azure", "imds 429")     # those of `paravisor` and `imds`; `errno EIO`,
                                              # `busy`, `cut 4` and `pieces 7` of the device

In the emulation's folder are what `hardware` leaves there, and swtpm's socket for independent
readers (`Swtpm(machine.folder("azure") / "swtpm.sock")`).
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from tests.emulation import imds
from tests.emulation.emulation import Emulation, Place
from tests.emulation.fuse import Caller, File, Handle, Server
from tests.emulation.hardware import SnpChip, TdxPlatform, td_report
from tests.emulation.paravisor import PERIOD, Paravisor
from tests.emulation.swtpm import Swtpm
from tests.emulation.tpm_device import WHOLE, TpmHandle
from tests.fakes.boot_log import Measurement, log

DEVICE = "/dev/tpmrm0"
BOOT_LOG = "/sys/kernel/security/tpm0/binary_bios_measurements"
ASSET_TAG = "7783-7084-3265-9085-8269-3286-77"
_SNP, _TDX = 2, 4
_SHA256 = 0x0B
_NO_ACTION = 3
_END = "-----END CERTIFICATE-----\n"


@dataclass
class AzureVm(Emulation):
    """A confidential VM.

    Attributes:
        hardware: `snp` or `tdx`.
        group: that owns the device.
        mode: of the device.
        measured: what the firmware measured and logged; without any, there is no boot log.
        period: seconds for which the paravisor serves the same report.
    """

    hardware: str
    group: int = 0
    mode: int = 0o660
    measured: tuple[Measurement, ...] = ()
    period: float = PERIOD
    name: ClassVar[str] = "azure"

    def prepare(self, place: Place) -> None:
        """Puts the device's node, what DMI says, and the boot log."""
        place.mounts.file(DEVICE)
        dmi = {"chassis_asset_tag": ASSET_TAG, "sys_vendor": "Microsoft Corporation"}
        for name, value in dmi.items():
            place.mounts.file(f"/sys/class/dmi/id/{name}", f"{value}\n".encode())
        if self.measured:
            place.mounts.file(BOOT_LOG, log(self.measured))

    def serve(self, place: Place) -> None:
        """Starts everything, and serves the device."""
        tpm = Swtpm.start(place.folder, lambda command: place.spawn(*command))
        tpm.set_up(place.folder)
        self._measure(tpm)
        if self.hardware == "snp":
            paravisor = Paravisor(tpm, SnpChip(place.folder).report, _SNP, place.told, self.period)
            imds.serve(_answers(place, _no_quote))
        else:
            platform = TdxPlatform(place.folder)
            paravisor = Paravisor(tpm, td_report, _TDX, place.told, self.period)
            imds.serve(_answers(place, platform.quote_of))

        def opened(caller: Caller, flags: int) -> Handle:
            del caller, flags
            if "busy" in place.told().split():
                raise OSError(errno.EBUSY, "as told")
            piece = int(words[1]) if (words := place.told().split())[:1] == ["pieces"] else WHOLE
            return TpmHandle(lambda command: _driver(place, paravisor, command), piece)

        device = File(opened, mode=self.mode, gid=self.group, seekable=False)
        Server(device, Path(DEVICE)).serve(place.ready)

    def _measure(self, tpm: Swtpm) -> None:
        """Extends the PCRs as the firmware did."""
        events = (m for m in self.measured if m.type != _NO_ACTION)
        extended = [f"{m.register}:sha256={m.digest(_SHA256).hex()}" for m in events]
        if extended:
            tpm.tool("tpm2_pcrextend", *extended)


def _driver(place: Place, paravisor: Paravisor, command: bytes) -> bytes:
    """What the kernel's driver does; the test may have told it to fail."""
    words = place.told().split()
    if words[:1] == ["errno"]:
        number = getattr(errno, words[1])
        raise OSError(number, os.strerror(number))
    response = paravisor.exchange(command)
    return response[: -int(words[1])] if words[:1] == ["cut"] else response


def _no_quote(report: bytes) -> bytes:
    raise ValueError(f"SEV-SNP quotes no TDREPORT ({len(report)} bytes)")


def _answers(place: Place, quote: Callable[[bytes], bytes]) -> imds.Answers:
    chain = place.folder / "endorsement-chain.pem"
    certificates = chain.read_text().partition(_END) if chain.exists() else ("", "", "")
    vcek = certificates[0] + certificates[1]
    return imds.Answers(vcek, certificates[2], quote, place.told, place.note)
