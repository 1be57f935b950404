"""The examples of docs/embedding.md run."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import wasmtime_attestation

from tests.example_guests import cpp_reporter

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "embedding.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
SAYS = (
    ("simulated True", "simulatd"),
    ("exit", "trained: y = 2 x + 1", "vm None"),
    ("policy.accept",),
    ("cpp-reporter.wasm ended with exit code",),
    ("ok", "err"),
    ("simulated AttestationResult", "True", "warning", "token.nonce"),
)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example(number: int, tmp_path: Path) -> None:
    cpp_reporter()
    script = tmp_path / "example.py"
    script.write_text(EXAMPLES[number])
    done = subprocess.run(
        [sys.executable, script], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    said = [text for text in SAYS[number] if text in done.stdout]
    assert said, done.stdout
    if number != 4:  # either is fine there: the guest refuses what is simulated
        assert said == [*SAYS[number]], done.stdout


def test_every_error_is_listed() -> None:
    for name in wasmtime_attestation.__all__:
        if name.endswith("Error"):
            assert f"`{name}`" in TEXT
