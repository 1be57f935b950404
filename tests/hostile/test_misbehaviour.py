"""Guests that loop, recurse, trap and grow wherever their code runs: each run ends as it must."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping

import pytest

if sys.platform != "linux":
    pytest.skip("what other processes take is measured on Linux", allow_module_level=True)

from tests.hostile.apart import Done, outcomes
from tests.hostile.misbehaviour import CASES
from tests.hostile.runs import SECONDS

STACK = "trap: wasm trap: call stack exhausted"
TRAP = "trap: wasm trap: wasm `unreachable` instruction executed"
EXPECTED = {
    "loops": "time",
    "loops and calls": "time",
    "recurses": STACK,
    # Whichever comes first: the end of the stack, of the time, or of the memory for answers.
    "recurses and calls": f"{STACK}|time|trap: realloc return: beyond end of memory",
    "traps": TRAP,
    "grows": "exit 0",
}
# An allocator of core modules that fails is no matter: the answer goes elsewhere.
CORE_ALLOCATOR = {"recurses": "exit 0", "recurses and calls": "time|exit 0", "traps": "exit 0"}
# While a component allocates for its host, it may not call it.
NO_CALLS = "trap: wasm trap: cannot leave component instance"
COMPONENT_ALLOCATOR = {"loops and calls": NO_CALLS}


def expected(case: str) -> str:
    abi, does, place = re.fullmatch(r"(\w+): (.+) in (.+)", case, re.ASCII).groups()  # type: ignore[union-attr]
    special: dict[str, str] = {}
    if "realloc" in place:
        special = CORE_ALLOCATOR if abi == "core" else COMPONENT_ALLOCATOR
    if place == "post-return" and does.endswith("and calls"):
        return NO_CALLS
    return special.get(does, EXPECTED[does])


@pytest.fixture(scope="module")
def done() -> Mapping[str, Done]:
    return outcomes("tests.hostile.misbehaviour")


@pytest.mark.parametrize("case", CASES)
def test_ends_as_it_must(done: Mapping[str, Done], case: str) -> None:
    run = done[case]
    assert re.fullmatch(expected(case), run.outcome), run.errors or run.outcome
    assert run.cpu < SECONDS + 2
    assert run.megabytes < 50
