"""No decoder raises anything but the project's own errors, whatever the bytes."""

from __future__ import annotations

import importlib.util
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.targets import TARGETS, Target
from tests.tools import missing

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 150
GUESTS = 150


@pytest.mark.parametrize("target", TARGETS.values(), ids=[*TARGETS])
def test_a_decoder_takes_what_it_is_for(target: Target) -> None:
    for seed in target.seeds:
        target.decode(seed)


@pytest.mark.parametrize("name", TARGETS)
def test_a_decoder_refuses_what_was_damaged_with_an_error_of_its_own(name: str) -> None:
    target = TARGETS[name]
    dice = random.Random(name)  # noqa: S311
    for _ in range(ROUNDS):
        data = damaged(dice.choice(target.seeds), dice)
        try:
            target.decode(data)
        except target.refuses:
            continue


def damaged(seed: bytes, dice: random.Random) -> bytes:
    """Changes, cuts, doubles or drops a piece of a few bytes, one to four times."""
    data = bytearray(seed)
    for _ in range(dice.randint(1, 4)):
        start = dice.randrange(len(data) + 1)
        end = min(len(data), start + dice.randint(0, 8))
        piece = bytes(data[start:end])
        data[start:end] = dice.choice([dice.randbytes(len(piece)), b"", piece * 2, b"\xff\0\x80"])
    return bytes(data)


def test_random_guests_do_the_host_no_harm() -> None:
    """In a process of its own: what they break may be the interpreter."""
    # Not `faulthandler.enable`: after wasmtime's own handlers it would take traps for crashes.
    command = [sys.executable, "-X", "faulthandler", "-m", "tests.fuzz.guests", "0", str(GUESTS)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    last = done.stdout.rstrip().rpartition("\n")[2]
    assert (done.returncode, last) == (0, "all ran"), (last, done.stderr[-4000:])


@pytest.mark.weekly
def test_a_short_run_guided_by_coverage_finds_nothing() -> None:
    if importlib.util.find_spec("atheris") is None:
        missing("atheris is not installed")
    seconds = 3 * len(TARGETS)
    command = [sys.executable, "-m", "tests.fuzz", "--seconds", str(seconds)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
