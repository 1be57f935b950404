"""Every language and ABI: guests of one source behave alike, and all state the same facts."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.tools import require

ROOT = Path(__file__).resolve().parents[2]
TOOL = Path(sys.executable).parent / "wasmtime-attestation"

MATRIX = {
    "rust": ("rust-reporter.wasm", "rust-reporter-legacy.wasm"),
    "cpp": ("cpp-reporter-component.wasm", "cpp-reporter.wasm"),
    # componentize-py makes components only.
    "python": ("python-reporter.wasm",),
}
"""The guests of each language: its component, and its core module for the legacy ABI."""

GUESTS = [
    pytest.param(language, guest, id=guest, marks=[pytest.mark.slow] * (language == "python"))
    for language, guests in MATRIX.items()
    for guest in guests
]
WITHOUT_TEE = (
    "no tee attestation available. not running in a confidential vm (intel tdx or amd sev-snp)?"
)
ATTESTED = {
    "detected": "simulated",
    "token": "n characters",
    "forged": "false",
    "challenge": "warning",
    "attested": "simulated, which proves nothing",
    "trained": "y = 2 x + 1",
}


@dataclass(frozen=True)
class Case:
    """A way to run a guest, and what comes of it.

    Attributes:
        tee: what the host attests with.
        arguments: of the guest.
        code: the exit code.
        facts: what the guest prints, in order.
    """

    tee: str
    arguments: tuple[str, ...]
    code: int
    facts: dict[str, str]


CASES = {
    "attested": Case("simulated", (), 0, ATTESTED),
    "attested-as-required": Case("simulated", ("--require",), 0, ATTESTED),
    "without-tee": Case(
        *("none", (), 0),
        {
            "detected": "none",
            "not attested": WITHOUT_TEE,
            "decided": "to go on without the secret data",
        },
    ),
    "without-tee-though-required": Case(
        *("none", ("--require",), 1),
        {
            "detected": "none",
            "not attested": WITHOUT_TEE,
            "decided": "to stop, since attestation is required",
        },
    ),
}
each_case = pytest.mark.parametrize("case", CASES)


@cache
def build(language: str) -> Path:
    """Builds the guests of a language and returns their folder."""
    if language == "rust":
        require("rustup")
    script = ROOT / "guests" / language / "build.py"
    subprocess.run([sys.executable, script], check=True, capture_output=True)
    return ROOT / "build" / "guests"


@cache
def run(language: str, guest: str, case: str) -> tuple[int, str]:
    """Returns a guest's exit code and output; a token's length differs from run to run."""
    how = CASES[case]
    command = [str(TOOL), "run", "--tee", how.tee, str(build(language) / guest), *how.arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    return done.returncode, re.sub(r"[1-9]\d* characters", "N characters", done.stdout)


def facts(output: str) -> list[tuple[str, str]]:
    """Reads what a guest states.

    Languages write the names of enum cases and the reasons of errors as it is
    usual in them: `Warning` or `warning`, and `unsupported: …` or `…`.
    """
    lines = [line.partition(": ") for line in output.casefold().splitlines()]
    return [(name, value.removeprefix("unsupported: ")) for name, _, value in lines]


@each_case
@pytest.mark.parametrize("language", [name for name, guests in MATRIX.items() if len(guests) > 1])
def test_both_abis_behave_alike(language: str, case: str) -> None:
    component, legacy = (run(language, guest, case) for guest in MATRIX[language])
    assert component == legacy


@each_case
@pytest.mark.parametrize(("language", "guest"), GUESTS)
def test_every_guest_states_the_same_facts(language: str, guest: str, case: str) -> None:
    code, output = run(language, guest, case)
    expected = CASES[case]
    assert code == expected.code
    assert facts(output) == list(expected.facts.items())
