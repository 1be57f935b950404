"""Disks that tests of caches share."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tools import missing


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 KiB."""
    if os.geteuid() != 0:
        missing("only root mounts")
    place = tmp_path / "tiny"
    place.mkdir()
    options = "size=64k,mode=700"
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tiny", place], check=False)
    if mounted.returncode:
        missing("nothing can be mounted here")
    yield place
    subprocess.run(["umount", place], check=True)
