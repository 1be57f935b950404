"""A confidential VM of Azure: vTPM, paravisor and metadata service at their production paths.

    with Namespace([AzureVm("snp")]) as machine:
        machine.cli("attest", "vm")
        machine.tell("azure", "imds 429")     # faults: `paravisor`, `imds`, `errno EIO`, `busy`
        root = machine.folder("azure") / "root.pem"

The miniature vendor below is made at start. In the emulation's folder are its root (`root.pem`),
the rest of its endorsements (`endorsements/`), and swtpm's socket for independent readers.
"""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

from wasmtime_attestation.endorsements.x509 import der, pem

from tests.emulation import imds
from tests.emulation.emulation import Emulation, Place
from tests.emulation.fuse import Caller, File, Handle, Server
from tests.emulation.paravisor import Paravisor
from tests.emulation.swtpm import Swtpm
from tests.emulation.tpm_device import TpmHandle
from tests.fakes import amd, intel
from tests.fakes.azure import ConfidentialVm

DEVICE = "/dev/tpmrm0"
ASSET_TAG = "7783-7084-3265-9085-8269-3286-77"
_TD_REPORT_DATA = slice(128, 192)


@dataclass
class AzureVm(Emulation):
    """A confidential VM.

    Attributes:
        hardware: `snp` or `tdx`.
        group: that owns the device.
        mode: of the device.
        boot_log: the TCG event log; None where securityfs is not mounted.
    """

    hardware: str
    group: int = 0
    mode: int = 0o660
    boot_log: bytes | None = None
    name: ClassVar[str] = "azure"

    def prepare(self, place: Place) -> None:
        """Puts the device's node, what DMI says, and the boot log."""
        place.mounts.file(DEVICE)
        dmi = {"chassis_asset_tag": ASSET_TAG, "sys_vendor": "Microsoft Corporation"}
        for name, value in dmi.items():
            place.mounts.file(f"/sys/class/dmi/id/{name}", f"{value}\n".encode())
        if self.boot_log is not None:
            path = "/sys/kernel/security/tpm0/binary_bios_measurements"
            place.mounts.file(path, self.boot_log)

    def serve(self, place: Place) -> None:
        """Starts everything, and serves the device."""
        vm = ConfidentialVm(_machine() if self.hardware == "snp" else intel.PLATFORM)
        _write_endorsements(vm, place.folder)
        tpm = Swtpm.start(place.folder, lambda command: place.spawn(*command))
        tpm.set_up(place.folder)
        paravisor = Paravisor(tpm, vm, place.told)
        imds.serve(_answers(vm, place))

        def opened(caller: Caller, flags: int) -> Handle:
            del caller, flags
            if "busy" in place.told().split():
                raise OSError(errno.EBUSY, "as told")
            return TpmHandle(lambda command: _driver(place, paravisor, command))

        device = File(opened, mode=self.mode, gid=self.group, seekable=False)
        Server(device, Path(DEVICE)).serve(place.ready)


def _driver(place: Place, paravisor: Paravisor, command: bytes) -> bytes:
    """What the kernel's driver does; the test may have told it to fail."""
    words = place.told().split()
    if words[:1] == ["errno"]:
        number = getattr(errno, words[1])
        raise OSError(number, os.strerror(number))
    response = paravisor.exchange(command)
    return response[: -int(words[1])] if words[:1] == ["cut"] else response


def _machine() -> amd.Machine:
    """A machine whose certificates are valid today: real clocks look at them."""
    amd.NOT_BEFORE = datetime.now(UTC) - timedelta(days=1)
    amd.NOT_AFTER = amd.NOT_BEFORE + timedelta(days=365)
    return amd.MILAN


def _answers(vm: ConfidentialVm, place: Place) -> imds.Answers:
    certificates: list[str] = []
    if isinstance(vm.hardware, amd.Machine):
        certificates = [pem(c).decode() for c in vm.hardware.chain()]

    def quote(report: bytes) -> bytes:
        assert isinstance(vm.hardware, intel.Platform)
        return vm.hardware.quote(report_data=report[_TD_REPORT_DATA])

    return imds.Answers(
        "".join(certificates[:1]), "".join(certificates[1:]), quote, place.told, place.note
    )


def _write_endorsements(vm: ConfidentialVm, folder: Path) -> None:
    endorsements = folder / "endorsements"
    endorsements.mkdir()
    if isinstance(vm.hardware, amd.Machine):
        vcek, ask, root = vm.hardware.chain()
        files = {"vcek.der": der(vcek), "ask.der": der(ask)}
    else:
        root = vm.hardware.root
        files = _collateral(vm.hardware)
    (folder / "root.pem").write_bytes(pem(root))
    for name, data in files.items():
        (endorsements / name).write_bytes(data)


def _collateral(platform: intel.Platform) -> dict[str, bytes]:
    """Collateral of today."""
    begin = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    end = begin + timedelta(days=30)
    written = {
        name: instant.strftime("%Y-%m-%dT%H:%M:%SZ")
        for name, instant in (("issueDate", begin), ("nextUpdate", end))
    }
    signing = platform.key("Intel SGX TCB Signing")
    root, authority = "Intel SGX Root CA", platform.ca
    statements = {"tcbInfo": intel.TCB_INFO, "enclaveIdentity": intel.QE_IDENTITY}
    files = {
        f"{name}.json": intel.signed(name, intel.changed(statement, **written), signing)
        for name, statement in statements.items()
    }
    for file, issuer in (("root.crl", root), ("pck.crl", authority)):
        files[file] = der(intel.crl(issuer, platform.key(issuer), begin=begin, end=end))
    return files | {"signing.der": der(platform.signer)}
