"""What NVML's return codes mean to the people who run a host, and what they can do.

Source: NVIDIA, "NVML API Reference Guide", nvmlReturn_t.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from wasmtime_attestation.errors import AttestationError, UnavailableError, UnsupportedError

UNINITIALIZED = 1
NOT_SUPPORTED = 3
FUNCTION_NOT_FOUND = 13
ARGUMENT_VERSION_MISMATCH = 25


@dataclass(frozen=True, slots=True)
class _Meaning:
    """A return code.

    Attributes:
        name: as NVML spells it, without its prefix.
        text: what it means and what to do.
        lacking: whether the machine has no such thing; else it did not work now.
    """

    name: str
    text: str
    lacking: bool = False


_RETRY = "try again; if it stays, reload the driver or restart the machine"
_MEANINGS = MappingProxyType(
    {
        1: _Meaning("UNINITIALIZED", f"something in this process shut NVML down; {_RETRY}"),
        2: _Meaning(
            "INVALID_ARGUMENT", "the driver does not know this call's form; update nvidia-ml-py"
        ),
        3: _Meaning("NOT_SUPPORTED", "this GPU, or its driver, has no such feature", lacking=True),
        4: _Meaning(
            "NO_PERMISSION",
            "this user may not open the device; run as root, or give the user access to "
            "/dev/nvidiactl and /dev/nvidia*",
        ),
        6: _Meaning("NOT_FOUND", "the driver has no such device; see nvidia-smi -L"),
        7: _Meaning(
            "INSUFFICIENT_SIZE", "the driver's answer has no room; update nvidia-ml-py to its age"
        ),
        8: _Meaning("INSUFFICIENT_POWER", "a power cable of the GPU is not connected"),
        9: _Meaning(
            "DRIVER_NOT_LOADED",
            "NVIDIA's kernel driver is not loaded; load it (modprobe nvidia) and see "
            "dmesg for why it was not",
        ),
        10: _Meaning("TIMEOUT", f"the GPU did not answer the driver in time; {_RETRY}"),
        11: _Meaning("IRQ_ISSUE", f"the GPU's interrupts do not arrive; {_RETRY}"),
        12: _Meaning(
            "LIBRARY_NOT_FOUND",
            "libnvidia-ml.so.1 is not here: no driver of NVIDIA is installed, or this container "
            "was started without it (NVIDIA Container Toolkit, --gpus all)",
            lacking=True,
        ),
        13: _Meaning(
            "FUNCTION_NOT_FOUND",
            "this driver is too old for confidential computing; install branch 550 or newer",
            lacking=True,
        ),
        14: _Meaning("CORRUPTED_INFOROM", "the board's infoROM is damaged; have it serviced"),
        15: _Meaning(
            "GPU_IS_LOST",
            "the GPU has fallen off the bus; see dmesg for its Xid, and reset it or restart the "
            "machine",
        ),
        16: _Meaning("RESET_REQUIRED", "the GPU must be reset (nvidia-smi --gpu-reset)"),
        17: _Meaning(
            "OPERATING_SYSTEM",
            "the operating system refused the device, by a control group or a security module; "
            "let this process open /dev/nvidia*",
        ),
        18: _Meaning(
            "LIB_RM_VERSION_MISMATCH",
            "library and kernel driver are of different versions, as after an update; reload "
            "the driver or restart the machine",
        ),
        19: _Meaning("IN_USE", f"the GPU is busy with something exclusive; {_RETRY}"),
        20: _Meaning("MEMORY", "there is too little memory; free some"),
        21: _Meaning("NO_DATA", f"the driver has no answer yet; {_RETRY}"),
        23: _Meaning(
            "INSUFFICIENT_RESOURCES", f"the driver lacks a resource that others hold; {_RETRY}"
        ),
        25: _Meaning(
            "ARGUMENT_VERSION_MISMATCH",
            "driver and nvidia-ml-py have different versions of this call; update the older one",
        ),
        27: _Meaning("NOT_READY", f"the GPU is not ready yet; {_RETRY}"),
        28: _Meaning("GPU_NOT_FOUND", "no GPU of NVIDIA's is here; see lspci", lacking=True),
        29: _Meaning("INVALID_STATE", f"the GPU is in no state for this; {_RETRY}"),
        999: _Meaning(
            "UNKNOWN",
            "the driver does not say why; GPUs whose confidential computing mode is off answer "
            "so, and broken ones; see dmesg",
        ),
    }
)


def explain(code: int, doing: str) -> AttestationError:
    """Returns the error for a return code.

    Args:
        code: what NVML returned.
        doing: what was tried, such as `GPU 0 (NVIDIA H200): reading its report`.
    """
    meaning = _MEANINGS.get(code)
    if meaning is None:
        return UnavailableError(
            f"{doing}: NVML returned {code}, which its documentation does not explain; see dmesg"
        )
    kind = UnsupportedError if meaning.lacking else UnavailableError
    return kind(f"{doing}: NVML says {meaning.name} ({code}): {meaning.text}")
