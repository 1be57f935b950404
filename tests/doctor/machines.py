"""Made-up machines for the doctor: a file system, GPUs and services, as far as a test says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from wasmtime_attestation.attesters.detect import detect
from wasmtime_attestation.attesters.detect.files import Files
from wasmtime_attestation.attesters.nvml import ConfidentialState, Gpu, System
from wasmtime_attestation.doctor import CHECKS
from wasmtime_attestation.doctor.diagnosis import Finding
from wasmtime_attestation.doctor.facts import Answered, Facts, Gpus
from wasmtime_attestation.errors import AttestationError, UnavailableError, UnsupportedError
from wasmtime_attestation.wit import TeeInfo, TeeType

SERVICES = ("amd_kds", "intel_pcs", "nvidia_rim", "nvidia_ocsp")
NO_DRIVER = UnsupportedError("no driver of NVIDIA is installed")
UNREACHABLE = UnavailableError("https://service.example/ cannot be reached")
ASSET_TAG = "7783-7084-3265-9085-8269-3286-77"
LINUX = "6.12.9"


def answered(ahead: float | None = 0.0) -> Answered:
    return Answered("https://service.example/", 200, 0.1, ahead)


def place(root: Path, files: Mapping[str, str]) -> Path:
    """Makes files; a path that ends in a slash is a folder."""
    for path, content in files.items():
        file = root / path.strip("/")
        if path.endswith("/"):
            file.mkdir(parents=True, exist_ok=True)
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)
    return root


def machine(
    root: Path,
    files: Mapping[str, str],
    providers: Mapping[str, TeeType | AttestationError] | None = None,
    kernel: str = LINUX,
) -> Facts:
    """Returns the facts of a machine without GPUs, on a network where everybody answers."""
    answers = providers or {}

    def ask(provider: str) -> TeeInfo:
        found = answers.get(provider, UnsupportedError("nothing is behind it"))
        if isinstance(found, AttestationError):
            raise found
        return TeeInfo(found, supports_attestation=True, provider=provider, gpu_count=0)

    place(root, {"/proc/sys/kernel/osrelease": kernel} | dict(files))
    return Facts(
        files=Files(root),
        detection=detect(root, ask),
        gpus=NO_DRIVER,
        offline=False,
        services=dict.fromkeys(SERVICES, answered()),
        metadata_service=None,
        synchronised=True,
    )


def with_gpus(
    facts: Facts, driver: str = "550.90.07", architecture: int | None = 9, **state: bool | None
) -> Facts:
    """Returns the same machine with two GPUs, in CC mode if not said otherwise."""
    gpus = tuple(
        Gpu((0, bus, 0), f"GPU-{bus}", "NVIDIA H100 80GB HBM3", architecture) for bus in (1, 2)
    )
    usual: dict[str, bool | None] = {"known": True, "capable": True, "enabled": True, "ready": True}
    known = ConfidentialState(**(usual | state))  # type: ignore[arg-type]
    return replace(facts, gpus=Gpus(System(driver, gpus), known))


def finding(facts: Facts, check: str) -> Finding:
    """Returns what one check finds."""
    look: dict[str, Callable[[Facts], Finding]] = {each.id: each.look for each in CHECKS}
    return look[f"doctor.{check}"](facts)
