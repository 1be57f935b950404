"""Guests that write and call without end: limits end them, and neither log nor memory fills up."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping

import pytest

if sys.platform != "linux":
    pytest.skip("what other processes take is measured on Linux", allow_module_level=True)

from tests.hostile.apart import Done, outcomes
from tests.hostile.floods import BYTES, CALLS, CASES, OUTPUT

LOG = 50_000
"""Bytes of the log: some tracebacks of a host that fails."""


@pytest.fixture(scope="module")
def done() -> Mapping[str, Done]:
    return outcomes("tests.hostile.floods")


@pytest.mark.parametrize("case", CASES)
def test_a_flood_ends_at_its_limit(done: Mapping[str, Done], case: str) -> None:
    run = done[case]
    found = re.fullmatch(r"(.+); captured (\d+), called (\d+), logged (\d+)", run.outcome)
    assert found, run
    captured, called, logged = map(int, found.groups()[1:])
    if " large " in case:
        assert found[1] == "host bytes"
        assert called <= (BYTES >> 20) + 1  # the last was stopped
    else:
        assert found[1] == ("host calls" if ": " in case else "output")
    assert called <= CALLS
    assert captured <= OUTPUT
    assert logged < LOG
    assert run.megabytes < 100
