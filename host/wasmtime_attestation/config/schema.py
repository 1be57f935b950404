"""The JSON Schema of configurations, out of what their readers declare (`config schema`)."""

from __future__ import annotations

from wasmtime_attestation.config import SCHEMA, read
from wasmtime_attestation.policy.schema import DIALECT, of_table
from wasmtime_attestation.policy.table import Json


def schema() -> dict[str, Json]:
    """Returns the schema (JSON Schema 2020-12)."""
    members = of_table(read([]).table)
    members["properties"]["policies"]["additionalProperties"] = {"type": "string"}
    return {
        "$schema": DIALECT,
        "$id": f"urn:wasmtime-attestation:configuration:{SCHEMA}",
        "title": "Configuration of a host of wasmtime-attestation",
        **members,
        "required": ["schema"],
    }
