"""The project's example guests, built when their sources changed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def python_reporter() -> Path:
    return _built("python")


def cpp_reporter() -> Path:
    return _built("cpp")


def cpp_guests() -> Path:
    """Returns the folder of the guests in C++, and of all others that were built."""
    return cpp_reporter().parent


def _built(language: str) -> Path:
    subprocess.run(
        [sys.executable, ROOT / "guests" / language / "build.py"], check=True, capture_output=True
    )
    return ROOT / "build" / "guests" / f"{language}-reporter.wasm"
