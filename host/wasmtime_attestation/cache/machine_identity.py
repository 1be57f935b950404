"""Which boot of which machine this is: what was attested holds for that one alone.

Sources: random(4), /proc/sys/kernel/random/boot_id; machine-id(5), "must not be exposed": only a
digest is kept; SMBIOS System UUID (/sys/class/dmi/id/product_uuid), which clones of a disk and of
a virtual machine do not share, and which only root can read.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_MACHINE = Path("/etc/machine-id")
_PRODUCT = Path("/sys/class/dmi/id/product_uuid")
_LARGEST = 128
"""Bytes of each of them."""
_PURPOSE = b"wasmtime-attestation cache, boot of a machine\n"


def boot_of_machine() -> bytes | None:
    """Returns a digest of 32 bytes, or None where the system does not say which boot it is."""
    boot = _read(_BOOT)
    if not boot:
        return None
    parts = (boot, _read(_MACHINE), _read(_PRODUCT))
    return hashlib.sha256(_PURPOSE + b"\n".join(parts)).digest()


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST).strip().replace(b"\n", b" ")
    except OSError:
        return b""
