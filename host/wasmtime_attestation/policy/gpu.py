"""What a policy accepts of an NVIDIA GPU or NVSwitch: the table `gpu` (`docs/policy.md`)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from wasmtime_attestation.endorsements.nvidia import Architecture
from wasmtime_attestation.policy.table import Table

MODES = ("spt", "mpt", "ppcie")
"""How GPUs are passed through: one, several, or all with their switches."""
MAX_COUNT = 1024
"""GPUs that a policy may expect."""
_DRIVER = r"[0-9]{1,6}([.][0-9]{1,6}){1,4}"
_VBIOS = r"[0-9A-F]{2}([.][0-9A-F]{2}){4}"
_UEID = r"[1-9][0-9]{0,60}"


@dataclass(frozen=True, slots=True)
class GpuPolicy:
    """What is accepted of a GPU or a switch.

    A set that is None does not constrain; one that is empty accepts nothing.
    """

    architectures: frozenset[Architecture] | None = None
    driver_versions: frozenset[str] | None = None
    minimum_driver_version: str | None = None
    vbios_versions: frozenset[str] | None = None
    minimum_vbios_version: str | None = None
    ueids: frozenset[str] | None = None
    modes: frozenset[str] | None = None
    expected_count: int | None = None
    require_revocation_check: bool = False


def read(table: Table) -> GpuPolicy:
    """Reads the table.

    Raises:
        ValueError: a setting is unknown or not of its kind.
    """
    policy = GpuPolicy(
        architectures=_architectures(table),
        driver_versions=table.all_formed(
            "driver-versions", _DRIVER, "Reference values for a GPU's driver version."
        ),
        minimum_driver_version=table.formed(
            "minimum-driver-version", _DRIVER, "The lowest version of a GPU's driver."
        ),
        vbios_versions=table.all_formed(
            "vbios-versions",
            _VBIOS,
            "Reference values for the version of a GPU's VBIOS or a switch's BIOS.",
        ),
        minimum_vbios_version=table.formed(
            "minimum-vbios-version", _VBIOS, "The lowest version of that; of one chip."
        ),
        ueids=table.all_formed(
            "ueids", _UEID, "Devices, by the serial numbers of their certificates, decimal."
        ),
        modes=table.all_formed(
            "modes",
            "|".join(MODES),
            "Modes in which GPUs may be passed through; drivers that report none are refused.",
        ),
        expected_count=table.limit(
            "expected-count",
            MAX_COUNT,
            "How many distinct GPUs the evidence must be of, all together.",
        ),
        require_revocation_check=table.boolean(
            "require-revocation-check",
            default=False,
            about="Whether OCSP responses or revocation lists must cover every certificate.",
        ),
    )
    table.end()
    return policy


def version_key(version: str) -> tuple[int, ...] | None:
    """Returns a version as its parts compare, or None where it is no such version.

    The parts of a VBIOS version are in hex, those of a driver's in decimal.
    """
    for form, base in ((_VBIOS, 16), (_DRIVER, 10)):
        if re.fullmatch(form, version):
            return tuple(int(part, base) for part in version.split("."))
    return None


def _architectures(table: Table) -> frozenset[Architecture] | None:
    names = table.all_formed(
        "architectures", "|".join(Architecture), "Architectures of GPUs and switches."
    )
    return None if names is None else frozenset(map(Architecture, names))
