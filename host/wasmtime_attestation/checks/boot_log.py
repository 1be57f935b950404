"""The checks of boot logs."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from wasmtime_attestation.checks.rule import Rule

_PFP = "TCG, PC Client Platform Firmware Profile Specification, Event Logging"

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "boot-log.format": Rule(
            "The log is a TCG log with a Spec ID Event03 (TPM or CCEL), by its declared sizes.",
            "It was cut or altered, or is something else.",
            "Read binary_bios_measurements of the TPM, or the data of the ACPI table CCEL.",
            _PFP,
        ),
        "boot-log.replay": Rule(
            "Every register for which the log has events has the value to which they lead.",
            "The log leaves out, adds or alters a measurement, is of another boot, or the "
            "register was extended after the log ended.",
            "Read log and quote in the same boot; extend registers at run time that have no "
            "events, or quote before.",
            f"{_PFP}; TPM2_PCR_Extend; TDG.MR.RTMR.EXTEND",
        ),
        "boot-log.events": Rule(
            "Where an event's digest is that of its data by its type, it is.",
            "The log says something else than what was measured.",
            "Do not rely on what this log says; look at the firmware that wrote it.",
            "TCG, PC Client Platform Firmware Profile Specification, Event Types",
        ),
        "boot-log.coverage": Rule(
            "Every register of the quote that changed since the start has events in the log.",
            "Something was measured that the log does not tell.",
            "Compare these registers with reference values of their own.",
            _PFP,
        ),
    }
)
