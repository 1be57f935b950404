"""The JSON Schema of configurations, out of what their readers declare (`config schema`)."""

from __future__ import annotations

from wasmtime_attestation.config import SCHEMA, read
from wasmtime_attestation.config.layer import Layer, Outside
from wasmtime_attestation.policy.schema import DIALECT, of_table
from wasmtime_attestation.policy.table import Json

_RULE = "rule"
# Readers declare what they take, so there is a rule to be read.
_WITH_A_RULE = Layer({"guests": {_RULE: {"path": "*"}}}, Outside("schema"))


def schema() -> dict[str, Json]:
    """Returns the schema (JSON Schema 2020-12)."""
    members = of_table(read([_WITH_A_RULE]).table)
    tables = members["properties"]
    tables["policies"]["additionalProperties"] = {"type": "string"}
    rule = tables["guests"]["properties"].pop(_RULE)
    tables["guests"]["additionalProperties"] = {**rule, "description": "For some guests."}
    return {
        "$schema": DIALECT,
        "$id": f"urn:wasmtime-attestation:configuration:{SCHEMA}",
        "title": "Configuration of a host of wasmtime-attestation",
        **members,
        "required": ["schema"],
    }
