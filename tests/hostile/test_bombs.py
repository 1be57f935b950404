"""Modules that claim much: none takes more time or memory than it may, nor anybody's else."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping

import pytest

if sys.platform != "linux":
    pytest.skip("what other processes take is measured on Linux", allow_module_level=True)

from tests.hostile.apart import Done, outcomes
from tests.hostile.bombs import CASES

INVALID = "not started: bomb.wasm cannot be compiled, so it is damaged or uses what this host lacks"
EXPECTED = {
    "50,000 locals": "exit 0",
    "a memory of 4 GiB": "memory",
    "a memory of 1 GiB": "exit 0",
    "9 memories": "memories",
    "a table of 2^32": "table elements",
    "data at both ends of 1 GiB": "exit 0",
    "100,000 pieces of data": "exit 0",
    "32 MiB of data": "exit 0",
    "300,000 globals": "exit 0",
    "nothing but 64 MiB": "exit 0",
    "a body of a million nothings": "exit 0",
    "a small guest with much to compile": "exit 0",
    "minutes to compile": f"{INVALID}: it was not compiled within 1 seconds",
    "minutes to look at": "bomb.wasm is no valid WebAssembly: it was not compiled within .*",
    "gigabytes to compile": f"{INVALID}: compiling it takes more than 300 MiB of memory.*",
}
LARGE = 250
"""Megabytes: the guest, its machine code, and its data where it has much."""


@pytest.fixture(scope="module")
def done() -> Mapping[str, Done]:
    return outcomes("tests.hostile.bombs")


@pytest.mark.parametrize("case", CASES)
def test_a_bomb_does_no_harm(done: Mapping[str, Done], case: str) -> None:
    run = done[case]
    assert re.fullmatch(EXPECTED.get(case, f"{INVALID}: .*"), run.outcome), run
    assert run.cpu < 5
    assert run.megabytes < LARGE
    assert len(run.outcome) < 1000
