"""What `docs/examples.md` shows is what happens."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.cli.tool import run_process
from tests.example_guests import cpp_guests

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "examples.md").read_text()
SHOWN = re.findall(r"^\$ wasmtime-attestation (.*)\n((?:.+\n)+?)```", TEXT, re.MULTILINE)


@pytest.mark.parametrize(("command", "shown"), SHOWN, ids=[command for command, _ in SHOWN])
def test_commands_print_what_is_shown(command: str, shown: str) -> None:
    cpp_guests()
    outcome = run_process(*shlex.split(command), cwd=ROOT)
    printed = (outcome.err + outcome.out).splitlines()
    lines = [line.partition("…")[0] for line in shown.splitlines()]
    assert len(lines) == len(printed)
    assert [said[: len(line)] for said, line in zip(printed, lines, strict=True)] == lines


def test_the_gate_is_the_guests_own() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    assert code in (ROOT / "guests" / "python" / "trainer" / "gate.py").read_text()


def test_there_is_something_to_show() -> None:
    assert len(SHOWN) == 3
