"""Measures how long generating bindings takes, as whole processes.

Run `python -m benchmarks.generation`.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.timing import QUICK, Effort, print_machine, print_table

ROOT = Path(__file__).resolve().parents[1]
BINDGEN = (sys.executable, "-m", "wasmtime_attestation_bindgen")
LANGUAGES = ("rust", "cpp", "host")
BARE = "python -c 'import click, jinja2'"


def main() -> None:
    """Measures and prints the table."""
    rounds = 1 if Effort.chosen(__doc__) is QUICK else 9
    with tempfile.TemporaryDirectory() as folder:
        spent = _measure(_commands(Path(folder)), rounds)
    rows = [(name, seconds * 1e3, seconds / spent[BARE]) for name, seconds in spent.items()]
    print_table(("process", "ms", "ratio"), rows)
    print_machine("click", "jinja2")


def _commands(folder: Path) -> dict[str, Sequence[str]]:
    wit = ("--wit", str(ROOT / "wit"), "--legacy")
    generators = {
        language: (*BINDGEN, language, *wit, "-o", str(folder / language)) for language in LANGUAGES
    }
    return {BARE: (sys.executable, "-c", "import click, jinja2"), **generators}


def _measure(commands: Mapping[str, Sequence[str]], rounds: int) -> dict[str, float]:
    """Returns the median seconds of each command; every round runs every command once."""
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds + 1):
        for name, command in commands.items():
            start = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            times[name].append(time.perf_counter() - start)
    # The first round also wrote byte code.
    return {name: statistics.median(values[1:]) for name, values in times.items()}


if __name__ == "__main__":
    main()
