"""Whose configuration counts where a user may not look: it is never passed over in silence."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tools import missing

# Everything is imported as root; then the process is nobody's.
AS_NOBODY = """
import os, sys, tomllib  # a Python below /root is not readable afterwards
from wasmtime_attestation.config.assembly import assemble
from wasmtime_attestation.errors import InvalidArgumentError
os.setresuid(65534, 65534, 65534)
try:
    print(assemble(None, {}, dict([sys.argv[1].split("=", 1)])).configuration.host.gpus)
except InvalidArgumentError as error:
    print("refused:", error)
"""


@pytest.fixture(name="closed")
def _closed() -> Iterator[Path]:
    """A folder of root's alone with a configuration in it, in a folder that all may enter."""
    if os.geteuid() != 0:
        missing("becoming another user needs root")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        home = folder / "home"
        for inner in (home / ".config/wasmtime-attestation", home / "wasmtime-attestation"):
            inner.mkdir(parents=True)
            (inner / "config.toml").write_text("schema = 1\n[host]\ngpus = 8\n")
        home.chmod(0o700)
        yield home


def found(variable: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, variable], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def test_a_home_that_is_another_users(closed: Path) -> None:
    assert found(f"HOME={closed}") == "None"
    closed.chmod(0o755)
    assert found(f"HOME={closed}") == "8"


def test_a_folder_within_ones_home_that_one_may_not_enter(closed: Path) -> None:
    closed.chmod(0o755)
    (closed / ".config").chmod(0o700)
    assert "refused:" in found(f"HOME={closed}")


def test_a_folder_that_was_named(closed: Path) -> None:
    assert "cannot be looked for: Permission denied" in found(f"XDG_CONFIG_HOME={closed}")
