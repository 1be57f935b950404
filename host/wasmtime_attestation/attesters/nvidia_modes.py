"""What the modes of a GPU mean for attestation, in words that say how to change them.

Sources: NVIDIA, "NVML API Reference Guide" (confidential computing); NVIDIA's gpu-admin-tools.
"""

from __future__ import annotations

from wasmtime_attestation.attesters.nvml import ConfidentialState, Gpu

HOPPER = 9
"""NVML_DEVICE_ARCH_HOPPER, the first architecture with confidential computing."""
SWITCH_ON = (
    "who owns the physical host switches it on with NVIDIA's gpu-admin-tools "
    "(nvidia_gpu_tools.py --set-cc-mode=on --reset-after-cc-mode-switch), and gives the GPU to a "
    "confidential virtual machine"
)


def is_confidential(gpu: Gpu, state: ConfidentialState) -> bool:
    """Whether a GPU protects what it works on, so that its evidence says something."""
    return refusal(gpu, state) is None


def refusal(gpu: Gpu, state: ConfidentialState) -> str | None:
    """Says why a GPU has no evidence to give, and what to do; None where it has.

    Returns:
        what to say after the GPU's name.
    """
    if not state.known:
        return "has a driver without confidential computing; install branch 550 or newer"
    if gpu.architecture is not None and gpu.architecture < HOPPER:
        return "is not CC capable; NVIDIA's GPUs are from Hopper on (H100, H200, B200, ...)"
    if state.devtools:
        return (
            "is in the developers' mode of CC (devtools): debuggers reach into it, so that its "
            f"evidence would prove nothing; CC mode proper is `on`: {SWITCH_ON}"
        )
    if state.enabled or state.protected_pcie:
        return None
    if not state.capable:
        return (
            "is not CC capable, as its driver says: the model or its VBIOS has no confidential "
            "computing"
        )
    return f"is CC capable but CC mode is off{_no_vm(state)}; {SWITCH_ON}"


def _no_vm(state: ConfidentialState) -> str:
    if state.confidential_cpu:
        return ""
    return ", and the driver sees no confidential virtual machine here (AMD SEV, Intel TDX) either"
