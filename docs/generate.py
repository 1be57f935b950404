"""Writes the documents that come from the code (`make docs`); a test keeps them current."""

from __future__ import annotations

from pathlib import Path

from wasmtime_attestation.appraise import FINDINGS
from wasmtime_attestation.checks import CHECKS

CHECKS_FILE = Path(__file__).parent / "checks.md"


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
            *(f"| `{id_}` | {meaning} |" for id_, meaning in CHECKS.items()),
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


if __name__ == "__main__":
    CHECKS_FILE.write_text(checks(), encoding="utf-8")
