"""The JSON Schema of policies, out of what their readers declare (`policy schema`).

Source: JSON Schema 2020-12. A TOML text is held against it as what a TOML reader makes of it.
"""

from __future__ import annotations

from wasmtime_attestation.policy import SCHEMA, read
from wasmtime_attestation.policy.source import Source
from wasmtime_attestation.policy.table import Json, Table

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Json]:
    """Returns the schema."""
    # Readers declare what they take, so the smallest policy declares everything.
    _, table = read("", Source.of("schema", f"schema = {SCHEMA}".encode()))
    return {
        "$schema": DIALECT,
        "$id": f"urn:wasmtime-attestation:policy:{SCHEMA}",
        "title": "Appraisal policy of wasmtime-attestation",
        **of_table(table),
        "required": ["schema"],
    }


def of_table(table: Table) -> dict[str, Json]:
    """Returns the schema of a table and those in it, as their reader declared them."""
    settings = {
        setting.key: {"description": setting.about, **setting.form} for setting in table.settings
    }
    tables = {
        key: {"description": inner.about, **of_table(inner)} for key, inner in table.tables.items()
    }
    return {"type": "object", "properties": {**settings, **tables}, "additionalProperties": False}
