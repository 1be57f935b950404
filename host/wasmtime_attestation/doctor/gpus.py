"""NVIDIA's GPUs: whether they can be reached, and whether they are in a mode with evidence."""

from __future__ import annotations

import re
from itertools import islice

from wasmtime_attestation.attesters.detect.files import Files
from wasmtime_attestation.attesters.nvidia import refusals
from wasmtime_attestation.attesters.nvidia_modes import HOPPER
from wasmtime_attestation.attesters.nvml import Gpu
from wasmtime_attestation.doctor.diagnosis import Finding, failed, not_applicable, ok, warning
from wasmtime_attestation.doctor.facts import Facts, Gpus
from wasmtime_attestation.errors import AttestationError, UnsupportedError
from wasmtime_attestation.wit import TeeType

FIRST_DRIVER = (535, 86)
"""The first driver with confidential computing, as an early access."""
GENERAL_DRIVER = (550, 54)
"""The first driver with confidential computing for everybody."""
_PCI = "/sys/bus/pci/devices"
_NVIDIA, _DISPLAY = "0x10de", "0x03"
_MAX_DEVICES = 4096
_VERSION = re.compile(r"(\d{1,5})\.(\d{1,5})")
_NO_GPU = "no GPU of NVIDIA's on the PCI bus"


def library(facts: Facts) -> Finding:
    """NVML is installed and answers."""
    gpus = facts.gpus
    if isinstance(gpus, Gpus):
        count = len(gpus.system.gpus)
        return ok(f"driver {gpus.system.driver}, {count} GPU{'' if count == 1 else 's'}")
    on_bus = _on_bus(facts.files)
    if not on_bus and isinstance(gpus, UnsupportedError):
        return not_applicable(_NO_GPU)
    remedy = "install NVIDIA's driver with its library (libnvidia-ml.so.1), and see nvidia-smi"
    return failed(f"{on_bus} on the PCI bus, and: {gpus.message}", remedy)


def driver(facts: Facts) -> Finding:
    """The driver has confidential computing."""
    gpus = _known(facts)
    if gpus is None:
        return not_applicable(_unknown(facts))
    if not any(map(_may_be_capable, gpus.system.gpus)):
        return not_applicable("no GPU here has confidential computing")
    found = _VERSION.match(gpus.system.driver)
    remedy = "install branch 550 or newer; Blackwell (B200) needs 570 or newer"
    if found is None:
        return warning(f"driver {gpus.system.driver} is of unknown age", remedy)
    version = (int(found[1]), int(found[2]))
    if version < FIRST_DRIVER:
        return failed(f"driver {gpus.system.driver} has no confidential computing", remedy)
    if version < GENERAL_DRIVER:
        return warning(f"driver {gpus.system.driver} has it as an early access", remedy)
    return ok(f"driver {gpus.system.driver}")


def mode(facts: Facts) -> Finding:
    """Every GPU that can is in confidential computing mode."""
    gpus = _known(facts)
    if gpus is None:
        return not_applicable(_unknown(facts))
    refused = refusals(gpus.system, gpus.state, range(len(gpus.system.gpus)))
    if not refused:
        how = "the protected PCIe mode" if gpus.state.protected_pcie else "CC mode"
        return ok(f"{how} is on")
    if not gpus.state.capable:
        return warning(refused, "nothing to do: these GPUs have no evidence to give")
    return failed(refused, "as said there; attest vm works without")


def devtools(facts: Facts) -> Finding:
    """The developers' mode is off, in which debuggers reach into a GPU."""
    gpus = _known(facts)
    if gpus is None or not (gpus.state.enabled or gpus.state.devtools):
        return not_applicable(_unknown(facts) if gpus is None else "CC mode is off")
    if not gpus.state.devtools:
        return ok("off")
    return failed(
        "the developers' mode (devtools) is on: debuggers reach into the GPU",
        "set --set-cc-mode=on in place of devtools (nvidia_gpu_tools.py), on the physical host",
    )


def ready(facts: Facts) -> Finding:
    """The GPUs accept work."""
    gpus = _known(facts)
    if gpus is None or gpus.state.ready is None or not gpus.state.enabled:
        return not_applicable(_unknown(facts) if gpus is None else "CC mode is off")
    if gpus.state.ready:
        return ok("the GPUs accept work")
    return warning(
        "the GPUs accept no work yet; evidence can be collected",
        "once their evidence was verified: nvidia-smi conf-compute -srs 1",
    )


def host(facts: Facts) -> Finding:
    """A confidential GPU belongs to a confidential VM."""
    gpus = _known(facts)
    if gpus is None or not gpus.state.enabled:
        return not_applicable(_unknown(facts) if gpus is None else "CC mode is off")
    if facts.detection.tee_type not in (TeeType.NONE, TeeType.AMD_SEV):
        return ok(f"beside {facts.detection.tee_type}")
    return warning(
        "confidential GPUs beside no confidential VM that is known: a token about a GPU alone "
        "identifies no host",
        "see doctor.tee",
    )


def _known(facts: Facts) -> Gpus | None:
    return facts.gpus if isinstance(facts.gpus, Gpus) else None


def _unknown(facts: Facts) -> str:
    if isinstance(facts.gpus, AttestationError) and not isinstance(facts.gpus, UnsupportedError):
        return "see doctor.nvml"
    return "see doctor.nvml" if _on_bus(facts.files) else _NO_GPU


def _may_be_capable(gpu: Gpu) -> bool:
    return gpu.architecture is None or gpu.architecture >= HOPPER


def _on_bus(files: Files) -> str:
    """Says which GPUs of NVIDIA's are on the PCI bus, drivers or not; empty where none is."""
    try:
        devices = sorted(islice(files.at(_PCI).iterdir(), _MAX_DEVICES))
    except OSError:
        return ""
    found = [
        device.name
        for device in devices
        if files.text(f"{_PCI}/{device.name}/vendor") == _NVIDIA
        and files.text(f"{_PCI}/{device.name}/class").startswith(_DISPLAY)
    ]
    return f"{len(found)} GPUs of NVIDIA's ({found[0]})" if found else ""
