"""Looks for whatever can stand between this machine and an attestation, one check at a time.

Identifiers are public and stable; `docs/doctor.md` lists them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from wasmtime_attestation.doctor import (
    cache,
    clock,
    endpoints,
    gpus,
    kernel,
    paravisor,
    platform,
)
from wasmtime_attestation.doctor.diagnosis import Diagnosis, Finding, Outcome
from wasmtime_attestation.doctor.facts import Facts
from wasmtime_attestation.doctor.gathering import SECONDS, gather
from wasmtime_attestation.endorsers.service_urls import ServiceUrls


@dataclass(frozen=True, slots=True)
class Check:
    """One check.

    Attributes:
        id: stable, for programs.
        look: what is found in the facts.
    """

    id: str
    look: Callable[[Facts], Finding]


CHECKS = (
    Check("doctor.tee", platform.tee),
    Check("doctor.cpu", platform.cpu),
    Check("doctor.container", platform.container),
    Check("doctor.kernel", kernel.version),
    Check("doctor.configfs", kernel.configfs),
    Check("doctor.tsm", kernel.tsm),
    Check("doctor.sev-guest", kernel.sev_guest),
    Check("doctor.tdx-guest", kernel.tdx_guest),
    Check("doctor.boot-log", kernel.boot_log),
    Check("doctor.tpm", paravisor.tpm),
    Check("doctor.paravisor", paravisor.report),
    Check("doctor.imds", paravisor.metadata_service),
    Check("doctor.nvml", gpus.library),
    Check("doctor.gpu-driver", gpus.driver),
    Check("doctor.gpu-cc-mode", gpus.mode),
    Check("doctor.gpu-devtools", gpus.devtools),
    Check("doctor.gpu-ready", gpus.ready),
    Check("doctor.gpu-host", gpus.host),
    Check("doctor.clock", clock.synchronised),
    Check("doctor.clock-skew", clock.skew),
    Check("doctor.amd-kds", endpoints.amd_kds),
    Check("doctor.intel-pcs", endpoints.intel_pcs),
    Check("doctor.nvidia-rim", endpoints.nvidia_rim),
    Check("doctor.nvidia-ocsp", endpoints.nvidia_ocsp),
    Check("doctor.cache", cache.folder),
)
"""Every check, in the order in which they are reported."""


def examine(
    urls: ServiceUrls | None = None, *, offline: bool = False, seconds: float = SECONDS
) -> tuple[Diagnosis, ...]:
    """Examines this machine.

    Args:
        urls: where vendors' services are; their own addresses where none are given.
        offline: whether nothing on the network may be asked, but what is on the link alone.
        seconds: how long everything may take together.
    """
    facts = gather(urls or ServiceUrls(), offline=offline, seconds=seconds)
    return tuple(Diagnosis(check.id, check.look(facts)) for check in CHECKS)


def is_healthy(diagnoses: tuple[Diagnosis, ...]) -> bool:
    """Whether nothing failed that this kind of machine needs."""
    return all(diagnosis.finding.outcome is not Outcome.FAILED for diagnosis in diagnoses)
