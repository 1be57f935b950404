"""What this machine's processors can do: code that was compiled for others must not run here.

Source: proc(5), /proc/cpuinfo (`flags` on x86, `Features` on Arm), which the kernel writes for one
processor after the other.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")
_MOST = 1 << 16
"""Bytes of the first processor's entry, and far more."""
_FEATURES = ("flags", "Features", "isa")


def features() -> str:
    """Returns a digest of the architecture and of what its processors can do, in hex."""
    said = [_architecture(), *_of_first_processor()]
    return hashlib.sha256("\n".join(said).encode()).hexdigest()


def _architecture() -> str:
    if hasattr(os, "uname"):
        return os.uname().machine
    # Windows says there which model it is.
    return os.environ.get("PROCESSOR_IDENTIFIER", "")


def _of_first_processor() -> list[str]:
    try:
        with _CPUINFO.open("rb", buffering=0) as file:
            text = file.read(_MOST).decode(errors="replace")
    except OSError:
        return []
    entry = text.partition("\n\n")[0]
    pairs = (line.partition(":") for line in entry.splitlines())
    said = {name.strip(): value for name, _, value in pairs}
    return [" ".join(sorted(said[name].split())) for name in _FEATURES if name in said]
