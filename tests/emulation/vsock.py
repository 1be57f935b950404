"""Virtual sockets to a host that is emulated, for machines whose kernel or host has none.

Programs run as they are; the C library's `socket` and `connect` are those of `vsock.c`.
"""

from __future__ import annotations

import atexit
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

HOST_CID = 2


@cache
def library() -> Path:
    """Builds the library that LD_PRELOAD names."""
    folder = Path(tempfile.mkdtemp(prefix="attestation-vsock-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    source, built = Path(__file__).with_name("vsock.c"), folder / "vsock.so"
    compiler = (sys.executable, "-m", "ziglang", "cc", "-shared", "-fPIC", "-O1", "-o")
    subprocess.run([*compiler, built, source, "-ldl"], check=True)
    return built


def environment(folder: Path) -> dict[str, str]:
    """Returns what a program's environment must hold.

    Args:
        folder: where the host's sockets are.
    """
    return {"LD_PRELOAD": str(library()), "EMULATED_VSOCK": str(folder)}


def address(folder: Path, port: int) -> str:
    """Returns where the host listens in place of a port."""
    return str(folder / f"{HOST_CID}.{port}")
