"""No hostile guest changes what another guest of the same runtime sees."""

from __future__ import annotations

import sys
from collections.abc import Mapping

import pytest

if sys.platform != "linux":
    pytest.skip("hostile guests run in a process of their own on Linux", allow_module_level=True)

from tests.hostile.apart import Done, outcomes
from tests.hostile.neighbours import CASES


@pytest.fixture(scope="module")
def done() -> Mapping[str, Done]:
    return outcomes("tests.hostile.neighbours")


@pytest.mark.parametrize("case", CASES)
def test_a_guest_beside_it_is_as_alone(done: Mapping[str, Done], case: str) -> None:
    assert done[case].outcome == "", done[case].errors
