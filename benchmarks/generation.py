"""Measures how long generating bindings takes, as whole processes.

Run `python -m benchmarks.generation`.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.timing import QUICK, Effort, print_machine, print_table

ROOT = Path(__file__).resolve().parents[1]
BINDGEN = (sys.executable, "-m", "wasmtime_attestation_bindgen")
LANGUAGES = ("rust", "cpp", "host")
TOGETHER = (("rust", "cpp"), LANGUAGES)
BARE = "python -c 'import click'"


class Spent(NamedTuple):
    """Seconds of a process: on the clock, where others may share the machine, and its own."""

    wall: float
    processor: float


def main() -> None:
    """Measures and prints the table."""
    rounds = 1 if Effort.chosen(__doc__) is QUICK else 20
    with tempfile.TemporaryDirectory() as folder:
        spent = _measure(_commands(Path(folder)), rounds)
    bare = spent[BARE].processor
    rows = [
        (name, s.wall * 1e3, s.processor * 1e3, s.processor / bare) for name, s in spent.items()
    ]
    print_table(("process", "wall ms", "processor ms", "ratio"), rows)
    print_machine("click")


def _commands(folder: Path) -> dict[str, Sequence[str]]:
    wit = ("--wit", str(ROOT / "wit"), "--legacy")
    alone = {
        language: (*BINDGEN, language, *wit, "-o", str(folder / language)) for language in LANGUAGES
    }
    together = {
        " + ".join(languages): (*BINDGEN, "generate", *wit, *_outputs(folder, languages))
        for languages in TOGETHER
    }
    return {BARE: (sys.executable, "-c", "import click"), **alone, **together}


def _outputs(folder: Path, languages: Sequence[str]) -> list[str]:
    return [text for name in languages for text in (f"--{name}", str(folder / name))]


def _measure(commands: Mapping[str, Sequence[str]], rounds: int) -> dict[str, Spent]:
    """Returns the medians of each command; every round runs every command once."""
    found: dict[str, list[Spent]] = {name: [] for name in commands}
    for _ in range(rounds + 1):
        for name, command in commands.items():
            found[name].append(_run(command))
    # The first round also wrote byte code, where Python may.
    return {
        name: Spent(*map(statistics.median, zip(*values[1:], strict=True)))
        for name, values in found.items()
    }


def _run(command: Sequence[str]) -> Spent:
    before, start = _processor(), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return Spent(time.perf_counter() - start, _processor() - before)


def _processor() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
