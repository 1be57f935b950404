"""What a real kernel (Linux 6.12.95) showed of its configfs-tsm to `tests.emulation.tsm_probe`.

Its provider's reports had 1,184 bytes. The file lies outside the project and is only read, beside
the folder of real evidence that `tests.vectors` reads.
"""

from __future__ import annotations

import os
from pathlib import Path

from tests.tools import missing

_VECTORS = Path(__file__).parents[3] / "shared" / "vectors"
_NAME = "oracle_tsm_linux_6.12.95.txt"


def transcript() -> list[str]:
    """Returns the lines; skips the test where they are not, and fails it in CI."""
    folder = Path(os.environ.get("ATTESTATION_VECTORS") or _VECTORS).parent / "facts"
    if not (folder / _NAME).is_file():
        missing(f"{_NAME} is missing; it lies beside the folder that ATTESTATION_VECTORS names")
    return (folder / _NAME).read_text().splitlines()
