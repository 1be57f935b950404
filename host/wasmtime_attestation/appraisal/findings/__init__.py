"""What an appraisal finds: the identifiers are public and stable, as those of checks are."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from wasmtime_attestation.appraisal.findings import azure, general, gpu, snp, tdx
from wasmtime_attestation.checks.rule import Rule

FINDINGS: Mapping[str, Rule] = MappingProxyType(
    {**general.RULES, **snp.RULES, **tdx.RULES, **azure.RULES, **gpu.RULES}
)
"""Every finding that an appraisal reports, by its public identifier."""
