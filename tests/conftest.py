"""Settings of the whole suite."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from hypothesis import settings

# The same examples every time, and no verdict that depends on how busy the machine is.
settings.register_profile("deterministic", derandomize=True, deadline=None)
settings.load_profile("deterministic")

# A job in the background may ignore Ctrl-C, and its children with it; tests press it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Compilers of guests keep their caches, which the next lines take from what is tested.
cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111
os.environ.setdefault("ZIG_GLOBAL_CACHE_DIR", f"{cache}/zig")

# No test asks real vendors, or finds what their user's own cache has.
os.environ["WASMTIME_ATTESTATION_OFFLINE"] = "1"
# The C++ compiler keeps what it compiled where it always does.
_caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
os.environ.setdefault("ZIG_GLOBAL_CACHE_DIR", str(_caches / "zig"))
# Not even root can make a folder there.
os.environ["XDG_CACHE_HOME"] = "/dev/null/nonexistent"
