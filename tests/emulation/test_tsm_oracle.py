"""The emulated configfs-tsm against the transcript of a real kernel, line by line.

The kernel was Linux 6.12.95 with a provider of its own whose reports have 1,184 bytes; the
transcript lies outside the project and is only read, as the vectors do (`ATTESTATION_VECTORS`).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.emulation.namespace import Namespace
from tests.emulation.tsm import REPORTS
from tests.emulation.tsm_plain import PlainTsm
from tests.tools import missing

_VECTORS = Path(__file__).parents[3] / "shared" / "vectors"
TRANSCRIPT = "oracle_tsm_linux_6.12.95.txt"

# Where the emulation differs, by the number of the line; `tests.emulation.tsm` says why.
CORNERS = {
    # A write of no bytes is not seen.
    34: ("inblob 0 -> EFAULT", "inblob 0 -> 0"),
    36: ("generation +1", "generation +0"),
    # pread(2) is refused.
    53: ("pread -> 16", "pread -> ESPIPE"),
    54: ("pread byte 62", "pread byte"),
    # The first close(2) of two counts.
    78: ("generation 0", "generation 1"),
    79: ("generation +1", "generation +0"),
}


def transcript() -> list[str]:
    folder = Path(os.environ.get("ATTESTATION_VECTORS") or _VECTORS).parent / "facts"
    if not (folder / TRANSCRIPT).is_file():
        missing(
            f"{TRANSCRIPT} is missing; it lies beside the folder that ATTESTATION_VECTORS names"
        )
    return (folder / TRANSCRIPT).read_text().splitlines()


def test_every_line_but_three_corners() -> None:
    real = transcript()
    with Namespace([PlainTsm()]) as machine:
        probed = machine.run(sys.executable, "-m", "tests.emulation.tsm_probe", REPORTS)
        assert probed.code == 0, probed.err
    emulated = probed.out.splitlines()
    pairs = list(zip(real, emulated, strict=True))
    different = {number: pair for number, pair in enumerate(pairs, 1) if pair[0] != pair[1]}
    assert different == CORNERS
