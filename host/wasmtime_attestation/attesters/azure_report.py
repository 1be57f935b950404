"""The HCL report with our user data in it: Azure's paravisor is asked by writing to the vTPM.

Source: Microsoft, "Azure confidential VMs guest attestation design"; openvmm, `tpm_device`: the
paravisor makes a new report when the index is read from its start, but not within two seconds of
the last, and then serves the last one without a word.
"""

from __future__ import annotations

import hashlib
import hmac
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass

from wasmtime_attestation.attesters import tpm_client_codes as codes
from wasmtime_attestation.attesters.tpm_client import Tpm
from wasmtime_attestation.attesters.tpm_client_codes import TpmError
from wasmtime_attestation.attesters.tpm_client_wire import NvAttributes
from wasmtime_attestation.errors import RejectedError, UnavailableError, UnsupportedError
from wasmtime_attestation.evidence import hcl
from wasmtime_attestation.evidence.hcl import HclReport, ReportType

REPORT_INDEX = 0x01400001
USER_DATA_INDEX = 0x01400002
USER_DATA_SIZE = 64

_ATTRIBUTES = (
    NvAttributes.OWNER_WRITE
    | NvAttributes.AUTH_WRITE
    | NvAttributes.OWNER_READ
    | NvAttributes.AUTH_READ
)
_TYPE_OFFSET = 32 + hcl.SNP_REPORT_SIZE + 8
_REPORT_DATA = {ReportType.SNP: slice(0x50, 0x90), ReportType.TDX: slice(128, 192)}
_GONE = frozenset({codes.HANDLE, codes.NV_DEFINED, codes.NV_RANGE, codes.NV_UNINITIALIZED})


@dataclass(frozen=True, slots=True)
class Pace:
    """How patiently the paravisor is asked; seconds.

    Attributes:
        patience: for a report with our user data, all in all.
        first_pause, longest_pause: between two looks; they double.
        courtesy: how long a program that wrote its own user data is left alone: the known
            clients wait three seconds before they read.
    """

    patience: float = 40.0
    first_pause: float = 0.05
    longest_pause: float = 0.25
    courtesy: float = 3.5


PACE = Pace()


@dataclass(frozen=True, slots=True)
class FreshReport:
    """A report with our user data: as it stands in the index, and decoded."""

    data: bytes
    decoded: HclReport


class _NotYet(Exception):  # noqa: N818
    """The report is not ours yet; the text says what is there instead."""


def hardware_type(tpm: Tpm) -> ReportType:
    """Returns the hardware below the paravisor; no report is made for that.

    Raises:
        UnsupportedError: the TPM has no HCL report, or one of hardware that is not known.
        UnavailableError: the TPM could not be asked.
    """
    size = _report_size(tpm)
    if size < _TYPE_OFFSET + 4:
        raise UnavailableError(f"the index of the HCL report has only {size} bytes")
    number = int.from_bytes(tpm.nv_read(REPORT_INDEX, 4, _TYPE_OFFSET), "little")
    try:
        return ReportType(number)
    except ValueError as error:
        raise UnsupportedError(
            f"the HCL report is of hardware {number}; 2 (SEV-SNP) and 4 (TDX) are known, and a VM "
            "without confidential computing (such as one with Trusted Launch) has neither"
        ) from error


def fresh_report(tpm: Tpm, user_data: bytes, pace: Pace = PACE) -> FreshReport:
    """Has the paravisor make a report with user data; no other of ours may do so meanwhile.

    Args:
        tpm: the vTPM.
        user_data: 64 bytes.
        pace: how patiently.

    Raises:
        UnsupportedError: the TPM has no HCL report.
        UnavailableError: the TPM could not be asked, or no such report came in time.
    """
    size = _report_size(tpm)
    deadline = time.monotonic() + pace.patience
    _write(tpm, user_data, deadline, pace)
    for pause in _pauses(pace):
        try:
            return _look(tpm, size, user_data)
        except _NotYet as reason:
            if time.monotonic() + pause > deadline:
                raise UnavailableError(
                    f"the paravisor gave no report with our user data in {pace.patience:.0f} "
                    f"seconds: {reason}"
                ) from reason
        time.sleep(pause)
        if _is_overwritten(tpm, user_data):
            time.sleep(max(0.0, min(_jittered(pace.courtesy), deadline - time.monotonic())))
            _write(tpm, user_data, deadline, pace)
    raise AssertionError("pauses never end")


def _report_size(tpm: Tpm) -> int:
    try:
        size = tpm.nv_read_public(REPORT_INDEX).size
    except TpmError as error:
        if error.code != codes.HANDLE:
            raise
        raise UnsupportedError(
            f"the TPM has no HCL report (NV index 0x{REPORT_INDEX:08x}): this is no confidential "
            "VM of Azure; on Azure, only sizes such as DCasv5 and DCesv5 are confidential"
        ) from error
    if size > hcl.MAX_SIZE:
        raise UnavailableError(
            f"the index of the HCL report has {size} bytes; {hcl.MAX_SIZE} is the most"
        )
    return size


def _look(tpm: Tpm, size: int, user_data: bytes) -> FreshReport:
    """Reads the report once."""
    try:
        data = tpm.nv_read(REPORT_INDEX, size)
        report = hcl.decode(data)
    except RejectedError as error:
        raise _NotYet(f"what it serves is torn or broken: {error.findings[0].detail}") from error
    except TpmError as error:
        if error.code != codes.NV_UNINITIALIZED:
            raise
        raise _NotYet("it has written none since the machine was started") from error
    if not _is_whole(report):
        raise _NotYet("what it serves is torn: the runtime claims are not those of the report")
    found = report.claims.user_data
    if found is None or not hmac.compare_digest(found.ljust(USER_DATA_SIZE, b"\0"), user_data):
        raise _NotYet(
            f"it goes on serving one with {'none' if found is None else found.hex()}; either it "
            "makes no new ones, or another program keeps writing user data of its own"
        )
    return FreshReport(data, report)


def _is_whole(report: HclReport) -> bool:
    """A report is read in pieces; one may be renewed by another reader in between."""
    digest = hashlib.new(report.hash_type.name.lower(), report.claims_text).digest()
    held = report.hardware_report[_REPORT_DATA[report.type]]
    return hmac.compare_digest(held, digest.ljust(len(held), b"\0"))


def _is_overwritten(tpm: Tpm, user_data: bytes) -> bool:
    """Whether another program wrote its own user data, or is about to: it removes the index."""
    try:
        return tpm.nv_read(USER_DATA_INDEX, USER_DATA_SIZE) != user_data
    except TpmError as error:
        if error.code not in _GONE:
            raise
        return True


def _write(tpm: Tpm, user_data: bytes, deadline: float, pace: Pace) -> None:
    """Writes user data, again if another program changes the index at the same time."""
    while True:
        try:
            _prepare(tpm)
            tpm.nv_write(USER_DATA_INDEX, user_data)
        except TpmError as error:
            if error.code not in _GONE or time.monotonic() > deadline:
                raise
        else:
            return
        time.sleep(_jittered(pace.first_pause))


def _prepare(tpm: Tpm) -> None:
    """Defines the index for user data, as the guest has to, unless there is one that will do."""
    try:
        found = tpm.nv_read_public(USER_DATA_INDEX)
    except TpmError as error:
        if error.code != codes.HANDLE:
            raise
    else:
        if found.size == USER_DATA_SIZE and found.attributes & _ATTRIBUTES == _ATTRIBUTES:
            return
        tpm.nv_undefine(USER_DATA_INDEX)
    tpm.nv_define(USER_DATA_INDEX, USER_DATA_SIZE, _ATTRIBUTES)


def _pauses(pace: Pace) -> Iterator[float]:
    pause = pace.first_pause
    while True:
        yield pause
        pause = min(2 * pause, pace.longest_pause)


def _jittered(seconds: float) -> float:
    """So that two who met do not meet again."""
    return seconds * random.uniform(1, 1.5)  # noqa: S311
