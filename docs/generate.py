"""Writes the documents that come from the code (`make docs`); a test keeps them current."""

from __future__ import annotations

from pathlib import Path

from wasmtime_attestation.appraise.findings import FINDINGS
from wasmtime_attestation.checks import CHECKS
from wasmtime_attestation_bindgen.legacy_doc import legacy_page
from wasmtime_attestation_bindgen.link import Features
from wasmtime_attestation_bindgen.load import load
from wasmtime_attestation_bindgen.resolve import resolve
from wasmtime_attestation_bindgen.selection import select_world

DOCS = Path(__file__).parent
CHECKS_FILE = DOCS / "checks.md"
LEGACY_FILE = DOCS / "legacy-abi.md"


def checks() -> str:
    """Returns `docs/checks.md`."""
    return "\n".join(
        [
            "# Checks",
            "",
            "Made by `make docs` from `checks.py` and `appraise.py`; the identifiers are public",
            "and stable. A check is `passed`, `failed` or `not-checked`, always with a detail. The",
            "first that fails ends the verification; what comes after it is `not-checked`.",
            "",
            "| check | what it establishes when it passes |",
            "|---|---|",
            *(f"| `{id_}` | {rule.requirement} |" for id_, rule in CHECKS.items()),
            "",
            "# Findings of an appraisal",
            "",
            "An appraisal reports all of them at once.",
            "",
            "| finding | what it says |",
            "|---|---|",
            *(f"| `{id_}` | {meaning} |" for id_, meaning in FINDINGS.items()),
            "",
        ]
    )


def legacy() -> str:
    """Returns `docs/legacy-abi.md`."""
    project = load(DOCS.parent / "wit")
    model = resolve(project.main, project.dependencies, Features())
    return legacy_page(model, select_world(model, "imports"))


if __name__ == "__main__":
    CHECKS_FILE.write_text(checks(), encoding="utf-8")
    LEGACY_FILE.write_text(legacy(), encoding="utf-8")
