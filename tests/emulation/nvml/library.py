"""Builds the emulated libnvidia-ml.so.1, once for each text of its source."""

from __future__ import annotations

import ctypes
import hashlib
import importlib.util
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

from tests.tools import missing

SOURCE = Path(__file__).with_name("nvml.c")
BUILD = Path(__file__).resolve().parents[3] / "build" / "emulation"
SONAME = "libnvidia-ml.so.1"


@cache
def folder() -> Path:
    """Returns the folder that has the library, for LD_LIBRARY_PATH."""
    if importlib.util.find_spec("ziglang") is None:
        missing("ziglang is not installed")
    digest = hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:16]
    library = BUILD / f"nvml-{digest}" / SONAME
    if not library.exists():
        library.parent.mkdir(parents=True, exist_ok=True)
        # Several processes of a test run may build at once: the last one to finish wins.
        built = library.with_suffix(f".{os.getpid()}")
        compiler = [sys.executable, "-m", "ziglang", "cc", "-shared", "-fPIC", "-O1", "-Wall"]
        options = ["-Werror", f"-Wl,-soname,{SONAME}", "-o", str(built), str(SOURCE)]
        subprocess.run([*compiler, *options], check=True)
        built.replace(library)
    return library.parent


@cache
def load() -> None:
    """Loads the library into this process: a later dlopen of its name finds it."""
    ctypes.CDLL(str(folder() / SONAME), mode=ctypes.RTLD_GLOBAL)
