"""What a policy learns from reports of NVIDIA GPUs and NVSwitches: the table `gpu`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from wasmtime_attestation.claims.gpu import NvidiaClaims
from wasmtime_attestation.policy.learn.section import Section
from wasmtime_attestation.policy.toml_text import assignment, comment


def sections(known: Sequence[NvidiaClaims]) -> list[Section]:
    """Returns the table that accepts these devices' versions and no others."""
    gpu = Section("gpu")
    _texts(gpu, "architectures", (d.architecture for d in known), "The chips' architectures.")
    drivers = [d.driver_version for d in known if d.driver_version is not None]
    if drivers:
        _texts(gpu, "driver-versions", drivers, "Versions of the GPUs' driver.")
    versions = (d.vbios_version for d in known)
    _texts(gpu, "vbios-versions", versions, "Versions of a GPU's VBIOS or a switch's BIOS.")
    _modes(gpu, [device for device in known if device.device == "gpu"])
    gpu.lines += [
        *comment("Only these devices, if you mean that:"),
        *(f"# {line}" for line in assignment("ueids", sorted({d.ueid for d in known}))),
    ]
    _count(gpu, known)
    _revocation(gpu, known)
    return [gpu]


def _texts(gpu: Section, key: str, values: Iterable[str], why: str) -> None:
    accepted = sorted({str(value) for value in values})
    if len(accepted) > 1:
        gpu.choices.append(f"gpu.{key}")
    gpu.set(key, why, to=accepted)


def _modes(gpu: Section, gpus: Sequence[NvidiaClaims]) -> None:
    """Older drivers report no mode, and a policy that names one refuses them."""
    modes = {device.mode for device in gpus}
    if None in modes:
        gpu.remark(
            "modes", "a driver does not report how GPUs are passed through: any mode will do"
        )
    elif modes:
        _texts(gpu, "modes", (mode for mode in modes if mode), "How GPUs are passed through.")


def _count(gpu: Section, known: Sequence[NvidiaClaims]) -> None:
    """Evidence may come from several machines: how many GPUs one has is not known."""
    distinct = len({device.ueid for device in known if device.device == "gpu"})
    if distinct:
        gpu.lines += [
            *comment("How many GPUs there must be, if all of them are of one machine:"),
            *(f"# {line}" for line in assignment("expected-count", distinct)),
        ]


def _revocation(gpu: Section, known: Sequence[NvidiaClaims]) -> None:
    if all(device.revocation_checked for device in known):
        gpu.set("require-revocation-check", "OCSP responses covered every device.", to=True)
    else:
        gpu.weaken(
            "require-revocation-check",
            "OCSP responses were not among the endorsements; give them, and remove this",
            to=False,
        )
