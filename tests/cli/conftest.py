"""Files that the tests of the command line tool share."""

from __future__ import annotations

from pathlib import Path

import pytest
from wasmtime_attestation.endorsements.x509 import pem

from tests.fakes.amd import MILAN
from tests.fakes.token import Forger


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The root of the miniature AMD, for `--trust`."""
    path = tmp_path / "root.pem"
    path.write_bytes(pem(MILAN.amd.ark.certificate))
    return path


@pytest.fixture
def token(tmp_path: Path) -> Path:
    """A right token."""
    path = tmp_path / "token"
    path.write_text(Forger().token() + "\n")
    return path
