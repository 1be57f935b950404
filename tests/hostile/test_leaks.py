"""Memory stays as it is over thousands of runs, however they end."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping

import pytest

if sys.platform != "linux":
    pytest.skip("memory is measured on Linux", allow_module_level=True)

from tests.hostile.apart import Done, outcomes
from tests.hostile.leaks import CASES

pytestmark = pytest.mark.slow

ENDS = {
    "ends": "exit 0",
    "ends without an allocator": "exit 0",
    "traps": "trap: .*unreachable.*",
    "calls too often": "host calls",
    "loops": "time",
}
MEBIBYTES = 8.0
"""That memory may grow by: a run that left a kilobyte behind would take more."""


@pytest.fixture(scope="module")
def done() -> Mapping[str, Done]:
    return outcomes("tests.hostile.leaks", hangs=600)


@pytest.mark.parametrize("case", CASES)
def test_nothing_stays_behind(done: Mapping[str, Done], case: str) -> None:
    run = done[case]
    found = re.fullmatch(r"(.+); (-?[0-9.]+) MiB; (\d+) threads; (\d+) files", run.outcome)
    assert found, run
    ended, grown, threads, files = found.groups()
    assert re.fullmatch(ENDS[case.partition(": ")[2]], ended)
    assert float(grown) < MEBIBYTES
    assert int(threads) < 10
    assert int(files) < 50
