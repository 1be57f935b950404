"""What the whole paths share: one machine with everything, since starting it costs most."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.emulation.namespace import Namespace
from tests.paths.hosts import TDX


@pytest.fixture(scope="session")
def tdx() -> Iterator[Namespace]:
    """A trust domain with eight GPUs, and every service beside it."""
    with TDX.start() as started:
        yield started
