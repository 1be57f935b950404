"""Files that the tests of the journal share."""

from __future__ import annotations

from pathlib import Path

import pytest
from wasmtime_attestation.endorsements.x509 import pem

from tests.fakes.amd import MILAN


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The root of the miniature AMD, for `--trust`."""
    path = tmp_path / "root.pem"
    path.write_bytes(pem(MILAN.amd.ark.certificate))
    return path
