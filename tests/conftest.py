"""Settings of the whole suite."""

from __future__ import annotations

from hypothesis import settings

# The same examples every time, and no verdict that depends on how busy the machine is.
settings.register_profile("deterministic", derandomize=True, deadline=None)
settings.load_profile("deterministic")
