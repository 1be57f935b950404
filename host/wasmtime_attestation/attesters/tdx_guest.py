"""TDX quotes through /dev/tdx_guest and the host's Quote Generation Service, as a fall-back.

The kernel gives a TDREPORT, which only the same machine can verify; the service makes a quote of
it.

Source: Linux, include/uapi/linux/tdx-guest.h and Documentation/virt/coco/tdx-guest.rst.
"""

from __future__ import annotations

import ctypes
import errno
import os
import time
from collections.abc import Mapping
from ctypes import c_uint8
from pathlib import Path

from wasmtime_attestation.attesters import qgs
from wasmtime_attestation.attesters.report_data import carries
from wasmtime_attestation.attesters.system_calls import ioctl, opened, patiently, unavailable
from wasmtime_attestation.attesters.turns import Turns
from wasmtime_attestation.errors import InvalidArgumentError, UnavailableError, UnsupportedError
from wasmtime_attestation.evidence.envelope import Evidence, EvidenceType
from wasmtime_attestation.evidence.td_report import TD_REPORT_SIZE
from wasmtime_attestation.wit import TeeInfo, TeeType

PROVIDER = "tdx-guest"
DEVICE = Path("/dev/tdx_guest")
REPORT_DATA_SIZE = 64

_PATIENCE = 5.0
_MEANINGS: Mapping[int, str] = {
    errno.EACCES: "this user may not use the device: run as root, or let a group have it",
    errno.EPERM: "this container may not use the device: allow it (--device /dev/tdx_guest)",
    errno.ENOTTY: "the device does not know TDX_CMD_GET_REPORT0: its driver came before Linux 6.2",
    errno.EIO: "the TDX module made no TDREPORT: see the kernel's log (dmesg)",
    errno.EINVAL: "the TDX module refused the request: see the kernel's log (dmesg)",
}
_turns = Turns(str(DEVICE))


class _ReportRequest(ctypes.Structure):
    """struct tdx_report_req."""

    _fields_ = (
        ("report_data", c_uint8 * REPORT_DATA_SIZE),
        ("td_report", c_uint8 * TD_REPORT_SIZE),
    )


TDX_CMD_GET_REPORT0 = 3 << 30 | ctypes.sizeof(_ReportRequest) << 16 | ord("T") << 8 | 1


class TdxGuestAttester:
    """Collects TDX quotes."""

    def info(self) -> TeeInfo:
        """Says whether the device is there."""
        if not DEVICE.exists():
            return TeeInfo(TeeType.NONE, supports_attestation=False, provider="", gpu_count=0)
        return TeeInfo(TeeType.INTEL_TDX, supports_attestation=True, provider=PROVIDER, gpu_count=0)

    def collect(self, report_data: bytes) -> Evidence:
        """Collects a fresh quote.

        Args:
            report_data: 64 bytes.

        Raises:
            UnsupportedError: there is no such device.
            UnavailableError: the device or the host's service did not answer.
        """
        with _turns.turn():
            quote = qgs.quote(td_report(report_data))
        if not carries(EvidenceType.INTEL_TDX, quote, report_data):
            raise UnavailableError(
                "the quote does not carry the REPORT_DATA that was asked for: the host's Quote "
                "Generation Service mixes up requests; ask who operates the host"
            )
        return Evidence(EvidenceType.INTEL_TDX, quote)


def td_report(report_data: bytes) -> bytes:
    """Returns a fresh TDREPORT of 1,024 bytes.

    Args:
        report_data: 64 bytes.

    Raises:
        UnsupportedError: there is no such device.
        UnavailableError: it did not answer.
    """
    if len(report_data) != REPORT_DATA_SIZE:
        raise InvalidArgumentError(f"REPORT_DATA has {REPORT_DATA_SIZE} bytes")
    request = _ReportRequest((c_uint8 * REPORT_DATA_SIZE)(*report_data))
    deadline = time.monotonic() + _PATIENCE
    try:
        with opened(DEVICE, os.O_RDWR) as device:
            patiently(lambda: ioctl(device, TDX_CMD_GET_REPORT0, request), deadline)
    except FileNotFoundError as error:
        raise UnsupportedError(
            "/dev/tdx_guest is not there: this is no TD, its driver is not loaded (modprobe "
            "tdx_guest), or this container was not given the device (--device /dev/tdx_guest)"
        ) from error
    except OSError as error:
        raise unavailable("no TDREPORT from /dev/tdx_guest", error, _MEANINGS) from error
    return bytes(request.td_report)
