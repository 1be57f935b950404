"""What a policy accepts of an NVIDIA GPU or NVSwitch: the table `gpu` (`docs/policy.md`)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from wasmtime_attestation.endorsements.nvidia import Architecture
from wasmtime_attestation.policy.table import Table

MODES = ("spt", "mpt", "ppcie")
"""How GPUs are passed through: one, several, or all with their switches."""
_DRIVER = re.compile(r"\d{1,6}(\.\d{1,6}){1,4}", re.ASCII)
_VBIOS = re.compile(r"[0-9A-F]{2}(\.[0-9A-F]{2}){4}")
_UEID = re.compile(r"[1-9]\d{0,60}", re.ASCII)


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
    require_revocation_check: bool = False


def read(table: Table) -> GpuPolicy:
    """Reads the table.

    Raises:
        ValueError: a setting is unknown or not of its kind.
    """
    policy = GpuPolicy(
        architectures=_architectures(table),
        driver_versions=_set(table, "driver-versions", _DRIVER),
        minimum_driver_version=_minimum(table, "minimum-driver-version", _DRIVER),
        vbios_versions=_set(table, "vbios-versions", _VBIOS),
        minimum_vbios_version=_minimum(table, "minimum-vbios-version", _VBIOS),
        ueids=_set(table, "ueids", _UEID),
        modes=_set(table, "modes", re.compile("|".join(MODES))),
        require_revocation_check=table.boolean("require-revocation-check", default=False),
    )
    table.end()
    return policy


def version_key(version: str) -> tuple[int, ...] | None:
    """Returns a version as its parts compare, or None where it is no such version.

    The parts of a VBIOS version are in hex, those of a driver's in decimal.
    """
    for form, base in ((_VBIOS, 16), (_DRIVER, 10)):
        if form.fullmatch(version):
            return tuple(int(part, base) for part in version.split("."))
    return None


def _architectures(table: Table) -> frozenset[Architecture] | None:
    names = _set(table, "architectures", re.compile("|".join(Architecture)))
    return None if names is None else frozenset(map(Architecture, names))


def _set(table: Table, key: str, form: re.Pattern[str]) -> frozenset[str] | None:
    if key not in table:
        return None
    return frozenset(_formed(key, text, form) for text in table.strings(key))


def _minimum(table: Table, key: str, form: re.Pattern[str]) -> str | None:
    return _formed(key, table.string(key, ""), form) if key in table else None


def _formed(key: str, text: str, form: re.Pattern[str]) -> str:
    if not form.fullmatch(text):
        raise ValueError(f"gpu.{key} has {text[:40]!r}, which is not of the form {form.pattern}")
    return text
