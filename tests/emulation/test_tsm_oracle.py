"""The emulated configfs-tsm against the transcript of a real kernel, line by line."""

from __future__ import annotations

import sys

from tests.emulation.namespace import Namespace
from tests.emulation.transcript import transcript
from tests.emulation.tsm import REPORTS
from tests.emulation.tsm_plain import PlainTsm

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


def test_every_line_but_three_corners() -> None:
    real = transcript()
    with Namespace([PlainTsm()]) as machine:
        probed = machine.run(sys.executable, "-m", "tests.emulation.tsm_probe", REPORTS)
        assert probed.code == 0, probed.err
    emulated = probed.out.splitlines()
    pairs = list(zip(real, emulated, strict=True))
    different = {number: pair for number, pair in enumerate(pairs, 1) if pair[0] != pair[1]}
    assert different == CORNERS
