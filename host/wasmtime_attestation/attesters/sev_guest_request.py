"""The ioctls of /dev/sev-guest: structures, and what their errors mean.

A request that fails in the firmware or the host makes the kernel wipe the guest's key to the
firmware, and every request after it fails until the guest is rebooted. So no request is made twice,
but for the one error that says how large the buffer for certificates must be.

Source: Linux, include/uapi/linux/sev-guest.h, Documentation/virt/coco/sev-guest.rst and
drivers/virt/coco/sev-guest/sev-guest.c; status codes: AMD publication 56860, "Status Codes".
"""

from __future__ import annotations

import ctypes
import errno
from collections.abc import Mapping
from ctypes import c_uint8, c_uint32, c_uint64
from dataclasses import dataclass

from wasmtime_attestation.attesters.system_calls import ioctl, unavailable
from wasmtime_attestation.errors import UnavailableError
from wasmtime_attestation.evidence.snp import SIZE

PAGE = 4096
TABLE_SIZE = 4 * PAGE
"""SEV_FW_BLOB_MAX_SIZE: what the kernel takes as a buffer for certificates."""
MAX_TABLE_SIZE = 16 * PAGE
"""The largest buffer that is tried if a host asks for more."""

_MESSAGE_VERSION = 1
_RESPONSE_SIZE, _RESPONSE_HEADER = 4000, 32
_INVALID_LENGTH = 1
_FIRMWARE: Mapping[int, str] = {
    0x16: "INVALID_PARAM: this guest may not ask for this privilege level (VMPL)",
    0x27: "INVALID_KEY: the key that was chosen to sign reports is not there",
}
_HOST: Mapping[int, str] = {
    _INVALID_LENGTH: "INVALID_LEN: the buffer for certificates is too small for the host",
    2: "BUSY: the host throttles requests",
}
_MEANINGS: Mapping[int, str] = {
    errno.ENOTTY: "the guest's key to the firmware was wiped after an earlier error; only a reboot "
    "of the virtual machine brings it back",
    errno.ETIMEDOUT: "the host throttled the request for a minute, and the kernel gave up; only a "
    "reboot of the virtual machine allows another",
    errno.EIO: "the request failed, and the kernel wiped the guest's key to the firmware; see the "
    "kernel's log (dmesg), then reboot the virtual machine",
    errno.EBADMSG: "the firmware's answer was not authentic, and the kernel wiped the guest's key "
    "to the firmware; reboot the virtual machine",
    errno.EINVAL: "the kernel refused the request",
}


class _Ioctl(ctypes.Structure):
    """struct snp_guest_request_ioctl."""

    _fields_ = (
        ("message_version", c_uint8),
        ("request", c_uint64),
        ("response", c_uint64),
        ("exit_info_2", c_uint64),
    )


class _Request(ctypes.Structure):
    """struct snp_ext_report_req, which begins with struct snp_report_req."""

    _fields_ = (
        ("user_data", c_uint8 * 64),
        ("vmpl", c_uint32),
        ("reserved", c_uint8 * 28),
        ("table_address", c_uint64),
        ("table_size", c_uint32),
    )


def _number(index: int) -> int:
    """_IOWR('S', index, struct snp_guest_request_ioctl)."""
    return 3 << 30 | ctypes.sizeof(_Ioctl) << 16 | ord("S") << 8 | index


SNP_GET_REPORT = _number(0)
SNP_GET_EXT_REPORT = _number(2)


@dataclass(frozen=True, slots=True)
class _Tried:
    """How a request went: the table, or the size that it needs."""

    report: bytes
    table: bytes = b""
    needed: int = 0


def report(device: int, report_data: bytes, vmpl: int) -> bytes:
    """Asks for a report.

    Args:
        device: descriptor of /dev/sev-guest.
        report_data: 64 bytes.
        vmpl: the privilege level to name in it.

    Raises:
        UnavailableError: kernel, host or firmware refused it.
    """
    return _try(device, SNP_GET_REPORT, report_data, vmpl, 0).report


def report_with_table(device: int, report_data: bytes, vmpl: int) -> tuple[bytes, bytes]:
    """Asks for a report and the host's certificates.

    The first buffer is as large as the kernel takes, so that one request is enough for all hosts
    that are known; one that needs more says so, and is asked once more.

    Args:
        device: descriptor of /dev/sev-guest.
        report_data: 64 bytes.
        vmpl: the privilege level to name in it.

    Returns:
        The report, and the buffer with the table, zeros where the host has none.

    Raises:
        UnavailableError: kernel, host or firmware refused it.
    """
    tried = _try(device, SNP_GET_EXT_REPORT, report_data, vmpl, TABLE_SIZE)
    if tried.needed:
        if tried.needed % PAGE or not TABLE_SIZE < tried.needed <= MAX_TABLE_SIZE:
            raise UnavailableError(
                f"the host asks for a buffer of {tried.needed} bytes for its certificates; from "
                f"{TABLE_SIZE} to {MAX_TABLE_SIZE}, in whole pages, is what is given: ask who "
                "operates the host"
            )
        tried = _try(device, SNP_GET_EXT_REPORT, report_data, vmpl, tried.needed)
    if tried.needed:
        raise UnavailableError("the host cannot decide how many certificates it has; try again")
    return tried.report, tried.table


def _try(device: int, command: int, report_data: bytes, vmpl: int, size: int) -> _Tried:
    response = (c_uint8 * _RESPONSE_SIZE)()
    table = ctypes.create_string_buffer(size)
    address = ctypes.addressof(table) if size else 0
    request = _Request((c_uint8 * 64)(*report_data), vmpl, (c_uint8 * 28)(), address, size)
    argument = _Ioctl(_MESSAGE_VERSION, ctypes.addressof(request), ctypes.addressof(response), 0)
    try:
        ioctl(device, command, argument)
    except OSError as error:
        if error.errno == errno.EIO and argument.exit_info_2 == _INVALID_LENGTH << 32 and size:
            return _Tried(b"", needed=request.table_size)
        raise _failed(error, argument.exit_info_2) from error
    return _Tried(decode(bytes(response)), table.raw)


def decode(response: bytes) -> bytes:
    """Decodes MSG_REPORT_RSP (AMD publication 56860): a status, a size and the report.

    Args:
        response: struct snp_report_resp, 4,000 bytes.

    Raises:
        UnavailableError: the status is none of success, or the report of another size.
    """
    status, size = (int.from_bytes(response[at : at + 4], "little") for at in (0, 4))
    if status:
        meaning = _FIRMWARE.get(status, "see AMD's publication 56860, status codes")
        raise UnavailableError(
            f"the firmware made no report: status {status:#x}: {meaning}; configfs-tsm knows which "
            "level this guest has (--tee configfs-tsm)"
        )
    if size != SIZE:
        raise UnavailableError(
            f"the firmware made a report of {size} bytes, not of {SIZE}: this release does not "
            "know its format"
        )
    return response[_RESPONSE_HEADER : _RESPONSE_HEADER + SIZE]


def _failed(error: OSError, exit_info_2: int) -> UnavailableError:
    firmware, host = exit_info_2 & 0xFFFF_FFFF, exit_info_2 >> 32
    what = "/dev/sev-guest made no report"
    if host:
        what += f" (host error {host:#x}, {_HOST.get(host, 'unknown')})"
    elif firmware not in (0, 0xFF, 0xFFFF_FFFF):  # the last two: the firmware was not called
        what += f" (firmware error {firmware:#x}, {_FIRMWARE.get(firmware, 'unknown')})"
    return unavailable(what, error, _MEANINGS)
