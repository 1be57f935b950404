"""The tool on a machine whose miniature vendors are the real ones, in a process of its own.

    python -m tests.guarding.miniature_host ROLE=ROOT.pem … -- run …

No option and no setting of the tool does that: tests replace the pinned roots.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from wasmtime_attestation.cli import main
from wasmtime_attestation.endorsements.anchors import Anchor, Anchors, Role
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsements.x509 import spki_sha256

_ROLES = {"vendor": None, "devices": Role.NVIDIA_DEVICE, "rims": Role.NVIDIA_RIM}


def anchors(roots: Iterable[str]) -> Anchors:
    """Returns anchors for which the roots in files are the vendors' own."""
    found = []
    for text in roots:
        role, _, file = text.partition("=")
        (root,) = Endorsements.from_files([(file, Path(file).read_bytes())]).certificates
        found.append(Anchor(f"test {role}", spki_sha256(root), role=_ROLES[role]))
    return Anchors(found)


if __name__ == "__main__":
    end = sys.argv.index("--")
    pinned = anchors(sys.argv[1:end])
    Anchors.of_vendors = staticmethod(lambda: pinned)  # type: ignore[method-assign, assignment]
    del sys.argv[1 : end + 1]
    main()
