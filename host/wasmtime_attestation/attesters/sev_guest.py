"""SEV-SNP reports through /dev/sev-guest, for kernels without configfs-tsm (before Linux 6.7).

Source: Linux, Documentation/virt/coco/sev-guest.rst; the privilege level of the guest:
Documentation/ABI/testing/sysfs-devices-system-cpu, /sys/devices/system/cpu/sev/vmpl.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from pathlib import Path

from wasmtime_attestation.attesters import sev_guest_request
from wasmtime_attestation.attesters.host_table import endorsements_of
from wasmtime_attestation.attesters.report_data import carries
from wasmtime_attestation.attesters.system_calls import opened, read_whole, unavailable
from wasmtime_attestation.attesters.turns import Turns
from wasmtime_attestation.errors import InvalidArgumentError, UnavailableError, UnsupportedError
from wasmtime_attestation.evidence.envelope import Evidence, EvidenceType
from wasmtime_attestation.wit import TeeInfo, TeeType

PROVIDER = "sev-guest"
DEVICE = Path("/dev/sev-guest")
VMPL = Path("/sys/devices/system/cpu/sev/vmpl")
REPORT_DATA_SIZE = 64
PRIVLEVELS = range(4)

_OPENING: Mapping[int, str] = {
    errno.EACCES: "this user may not use the device: run as root, or let a group have it",
    errno.EPERM: "this container may not use the device: allow it (--device /dev/sev-guest)",
}
_turns = Turns(str(DEVICE))


class SevGuestAttester:
    """Collects SEV-SNP reports, with the certificates that the host has for them.

    Args:
        certificates: whether the host is asked for its certificates too.
        privlevel: the VMPL to ask a report for, 0 to 3; by default the guest's own.
    """

    def __init__(self, privlevel: int | None = None, *, certificates: bool = True) -> None:
        if privlevel is not None and privlevel not in PRIVLEVELS:
            raise InvalidArgumentError("a privilege level (VMPL) is a number from 0 to 3")
        self._privlevel = privlevel
        self._certificates = certificates

    def info(self) -> TeeInfo:
        """Says whether the device is there."""
        if not DEVICE.exists():
            return TeeInfo(TeeType.NONE, supports_attestation=False, provider="", gpu_count=0)
        return TeeInfo(
            TeeType.AMD_SEV_SNP, supports_attestation=True, provider=PROVIDER, gpu_count=0
        )

    def collect(self, report_data: bytes) -> Evidence:
        """Collects a fresh report.

        Args:
            report_data: 64 bytes.

        Raises:
            UnsupportedError: there is no such device.
            UnavailableError: kernel, host or firmware made no report; nothing is tried twice.
        """
        if len(report_data) != REPORT_DATA_SIZE:
            raise InvalidArgumentError(f"REPORT_DATA has {REPORT_DATA_SIZE} bytes")
        vmpl = _own_vmpl() if self._privlevel is None else self._privlevel
        with _turns.turn():
            report, table = self._ask(report_data, vmpl)
        if not carries(EvidenceType.AMD_SEV_SNP, report, report_data):
            raise UnavailableError(
                "the report of /dev/sev-guest does not carry the REPORT_DATA that was asked for"
            )
        return Evidence(EvidenceType.AMD_SEV_SNP, report, endorsements_of(table))

    def _ask(self, report_data: bytes, vmpl: int) -> tuple[bytes, bytes]:
        try:
            with opened(DEVICE, os.O_RDWR) as device:
                if self._certificates:
                    return sev_guest_request.report_with_table(device, report_data, vmpl)
                return sev_guest_request.report(device, report_data, vmpl), b""
        except FileNotFoundError as error:
            raise UnsupportedError(
                "/dev/sev-guest is not there: this is no SEV-SNP guest, its driver is not loaded "
                "(modprobe sev-guest), or this container was not given the device "
                "(--device /dev/sev-guest)"
            ) from error
        except OSError as error:
            raise unavailable("cannot open /dev/sev-guest", error, _OPENING) from error


def _own_vmpl() -> int:
    """Returns the guest's privilege level; 0 where the kernel does not say (before Linux 6.12)."""
    try:
        text = read_whole(VMPL, 16).strip()
    except OSError:
        return 0
    return int(text) if text in (b"1", b"2", b"3") else 0
