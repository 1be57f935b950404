"""The compilers and tools that tests need besides Python's own."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest


def require(tool: str) -> str:
    """Returns where a tool is; skips the test where it is not, and fails it in CI."""
    return shutil.which(tool) or missing(f"{tool} is not installed")


def missing(reason: str) -> NoReturn:
    """Skips the test, and fails it in CI, where everything has to be installed."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
