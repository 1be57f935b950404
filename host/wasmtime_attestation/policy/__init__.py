"""Appraisal policies: which claims a relying party accepts. A policy is data, and empty denies.

`docs/policy.md` describes the TOML form.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wasmtime_attestation.policy.appraisal_policy import AZURE_CVM as AZURE_CVM
    from wasmtime_attestation.policy.appraisal_policy import HARDWARE_ONLY as HARDWARE_ONLY
    from wasmtime_attestation.policy.appraisal_policy import MAX_SIZE as MAX_SIZE
    from wasmtime_attestation.policy.appraisal_policy import PRESETS as PRESETS
    from wasmtime_attestation.policy.appraisal_policy import SCHEMA as SCHEMA
    from wasmtime_attestation.policy.appraisal_policy import AppraisalPolicy as AppraisalPolicy
    from wasmtime_attestation.policy.appraisal_policy import load as load
    from wasmtime_attestation.policy.appraisal_policy import preset as preset
    from wasmtime_attestation.policy.appraisal_policy import read as read

_NAMES = frozenset(
    {
        "AZURE_CVM",
        "HARDWARE_ONLY",
        "MAX_SIZE",
        "PRESETS",
        "SCHEMA",
        "AppraisalPolicy",
        "load",
        "preset",
        "read",
    }
)


def __getattr__(name: str) -> object:
    # PEP 562: who reads a configuration wants its tables, and no vendor's certificates.
    if name not in _NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(importlib.import_module(f"{__name__}.appraisal_policy"), name)
    globals()[name] = value
    return value
