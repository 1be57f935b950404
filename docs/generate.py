"""Writes the documents that come from the code (`make docs`); a test keeps them current."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from wasmtime_attestation.appraisal.findings import FINDINGS
from wasmtime_attestation.checks import CHECKS
from wasmtime_attestation.checks.rule import Rule
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
            "Made by `make docs` from `checks/` and `appraisal/findings/`; the identifiers are",
            "public and stable. A check is `passed`, `failed` or `not-checked`, always with a",
            "detail. The first that fails ends the verification; what comes after it is",
            "`not-checked`. `verify --explain` prints what is written here beside each outcome.",
            "",
            *_areas(CHECKS),
            "# Findings of an appraisal",
            "",
            "An appraisal reports all of them at once.",
            "",
            *_rules(FINDINGS),
        ]
    )


def _areas(rules: Mapping[str, Rule]) -> Iterator[str]:
    """A section for each area, which is an identifier's first part."""
    areas: dict[str, dict[str, Rule]] = {}
    for id_, rule in rules.items():
        areas.setdefault(id_.partition(".")[0], {})[id_] = rule
    for area, members in areas.items():
        yield from (f"## {area}", "", *_rules(members))


def _rules(rules: Mapping[str, Rule]) -> Iterator[str]:
    for id_, rule in rules.items():
        yield from (
            f"### `{id_}`",
            "",
            rule.requirement,
            "",
            f"- **If not:** {rule.meaning}",
            f"- **Then:** {rule.remedy}",
            f"- **Source:** {rule.source}",
            "",
        )


def legacy() -> str:
    """Returns `docs/legacy-abi.md`."""
    project = load(DOCS.parent / "wit")
    model = resolve(project.main, project.dependencies, Features())
    return legacy_page(model, select_world(model, "imports"))


if __name__ == "__main__":
    CHECKS_FILE.write_text(checks(), encoding="utf-8")
    LEGACY_FILE.write_text(legacy(), encoding="utf-8")
