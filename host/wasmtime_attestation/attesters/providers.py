"""How evidence of a virtual machine can be reached."""

from __future__ import annotations

PROVIDERS = ("configfs-tsm", "sev-guest", "tdx-guest", "azure-vtpm")
"""By the names that `TeeInfo.provider` has."""
