from __future__ import annotations

import pytest
from wasmtime_attestation.world import core_definition

from tests.world.core_paths import PATHS


@pytest.fixture(params=PATHS)
def either_path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs a test once for each way to define host functions of core modules."""
    monkeypatch.setattr(core_definition, "define", PATHS[request.param])
