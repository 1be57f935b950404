"""Documents that say what the code does, held against it."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest
from wasmtime_attestation.checks import CHECKS
from wasmtime_attestation.policy import load
from wasmtime_attestation.wit import TeeType

from tests.example_guests import cpp_reporter

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()


def test_generated_documents_are_current() -> None:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    assert generate.CHECKS_FILE.read_text() == generate.checks(), "run `make docs`"
    assert generate.LEGACY_FILE.read_text() == generate.legacy(), "run `make docs`"


def test_every_finding_is_documented() -> None:
    documented = set(re.findall(r"`([a-z-]+\.[a-z-]+)`", (ROOT / "docs/checks.md").read_text()))
    used = set()
    for module in (ROOT / "host").rglob("*.py"):
        used |= set(
            re.findall(
                r'"((?:input|token|evidence|snp|amd|tdx|intel|nvidia|azure|tpm|boot-log|policy)\.[a-z-]+)"',
                module.read_text(),
            )
        )
    others = {"evidence.type", "evidence.data", "evidence.envelope"}  # members of tokens, a module
    assert used - others <= documented


def test_the_readmes_python_runs(tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    cpp_reporter()
    script = tmp_path / "embed.py"
    script.write_text(code)
    result = subprocess.run(
        [sys.executable, script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert "attested: Simulated" in result.stdout


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_links_of_the_readme_lead_somewhere(link: str) -> None:
    assert (ROOT / link).exists()


def test_the_policy_in_the_documentation_is_one() -> None:
    text, *_ = re.findall(r"```toml\n(.*?)```", (ROOT / "docs/policy.md").read_text(), re.DOTALL)
    for size in (16, 32, 48, 64):
        text = text.replace(f"<{size} bytes of hex>", "ab" * size)
    policy = load("documented", text.encode())
    assert policy.name == "production"
    assert policy.has_reference_values_for(TeeType.AMD_SEV_SNP)


def test_version_is_one() -> None:
    project = (ROOT / "pyproject.toml").read_text()
    version = re.search(r'^version = "(.+)"$', project, re.MULTILINE)
    assert version is not None
    changelog = (ROOT / "CHANGELOG.md").read_text()
    assert f"## [{version[1]}]" in changelog or "## [Unreleased]" in changelog


def test_what_the_readme_shows_of_explanations_is_true() -> None:
    rule = CHECKS["token.nonce"]
    shown = " ".join(README.split())
    for text in (rule.requirement, rule.meaning, rule.remedy, rule.source):
        assert text in shown
