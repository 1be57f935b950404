"""The programs of docs/upstream.md still show what they are said to show.

Where one fails, wasmtime-py was mended: see whether its shield can go.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_SECTION = re.compile(
    r"^## (?P<number>\w+)\. .*?^```python\n(?P<program>.*?)^```\n\n^```text\n(?P<prints>.*?)^```",
    re.DOTALL | re.MULTILINE,
)
SECTIONS = {
    found["number"]: found for found in _SECTION.finditer((ROOT / "docs/upstream.md").read_text())
}


def test_each_section_has_a_program() -> None:
    assert list(SECTIONS) == ["1", "2", "2b", *map(str, range(3, 13))]


@pytest.mark.weekly
@pytest.mark.parametrize("number", SECTIONS)
def test_it_still_happens(number: str) -> None:
    found = SECTIONS[number]
    command = [sys.executable, "-c", found["program"]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    # A crash shows the same as a lost exception does.
    assert done.stdout == found["prints"] or done.returncode < 0, done.stderr
