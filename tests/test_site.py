"""The reference site: it builds without a warning, is whole, and asks nobody for anything."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import wasmtime_attestation

ROOT = Path(__file__).resolve().parents[1]
FETCHED = re.compile(r'<(?:script|link|img|iframe)\b[^>]*?\b(?:src|href)="(?:https?:)?//[^"]*"')


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = (sys.executable, "-m", "mkdocs", "--quiet", "build", "--strict", "--site-dir")
    done = subprocess.run(
        [*command, folder],
        cwd=ROOT,
        # What mkdocs-material says about its future is no warning of ours.
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    return folder


def pages(site: Path) -> dict[str, str]:
    return {str(page.relative_to(site)): page.read_text() for page in site.rglob("*.html")}


def test_every_document_is_a_page(site: Path) -> None:
    made = pages(site).keys()
    documents = (ROOT / "docs").rglob("*.md")
    expected = {str(d.relative_to(ROOT / "docs").with_suffix(".html")) for d in documents}
    # mkdocs calls the page of a folder `index`.
    assert {page.replace("README", "index") for page in expected} <= made
    assert {"index.html", "wit.html", "guests/cpp/index.html"} <= made


def test_readers_fetch_nothing_from_elsewhere(site: Path) -> None:
    assert {
        name: found for name, text in pages(site).items() if (found := FETCHED.findall(text))
    } == {}


def test_it_says_nothing_about_the_machine_that_built_it(site: Path) -> None:
    assert [name for name, text in pages(site).items() if str(ROOT) in text] == []


def test_every_public_name_is_in_the_reference(site: Path) -> None:
    """mkdocstrings only warns of what it cannot find; what nobody asked for it does not miss."""
    reference = "".join(t for n, t in pages(site).items() if n.startswith("reference/"))
    anchors = set(re.findall(r'id="wasmtime_attestation\.([\w.]+)"', reference))
    shown = {anchor.rpartition(".")[2] for anchor in anchors}
    assert set(wasmtime_attestation.__all__) <= shown
