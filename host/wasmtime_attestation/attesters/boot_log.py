"""The boot log as the kernel shows it: that of a TD's firmware, or that of a TPM.

Source: Linux, Documentation/ABI/testing/sysfs-firmware-acpi (tables/data) and
Documentation/security/tpm/tpm_event_log.rst.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from pathlib import Path

from wasmtime_attestation.attesters.system_calls import read_whole, unavailable
from wasmtime_attestation.errors import UnavailableError, UnsupportedError
from wasmtime_attestation.evidence.boot_log import MAX_SIZE
from wasmtime_attestation.evidence.envelope import EvidenceType

CCEL = Path("/sys/firmware/acpi/tables/data/CCEL")
TPM_LOG = Path("/sys/kernel/security/tpm0/binary_bios_measurements")

_SECURITYFS = (
    "mount securityfs (mount -t securityfs none /sys/kernel/security), if the kernel has a driver "
    "for the TPM"
)
_PLACES: Mapping[EvidenceType, tuple[Path, str]] = {
    EvidenceType.INTEL_TDX: (
        CCEL,
        "the firmware of this TD keeps no boot log, or the kernel is older than Linux 5.13",
    ),
    EvidenceType.AZURE_SNP: (
        TPM_LOG,
        _SECURITYFS,
    ),
    EvidenceType.AZURE_TDX: (
        TPM_LOG,
        _SECURITYFS,
    ),
}
_READING: Mapping[int, str] = {
    errno.EFBIG: f"it has more than {MAX_SIZE} bytes, so it is not what this release knows",
}


def read(kind: EvidenceType) -> bytes:
    """Reads the boot log that goes with a kind of evidence.

    Returns:
        The log as it is, with what is unused after it.

    Raises:
        UnsupportedError: such evidence has no registers that a boot log explains.
        UnavailableError: there is none, or it cannot be read.
    """
    if kind not in _PLACES:
        raise UnsupportedError(f"evidence of the kind {kind} has no registers for a boot log")
    path, remedy = _PLACES[kind]
    try:
        log = read_whole(path, MAX_SIZE)
    except FileNotFoundError as error:
        raise UnavailableError(f"there is no boot log at {path}: {remedy}") from error
    except OSError as error:
        raise unavailable(f"cannot read the boot log at {path}", error, _READING) from error
    if not log:
        raise UnavailableError(f"the boot log at {path} is empty: {remedy}")
    return log
