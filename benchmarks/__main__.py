"""Runs the benchmarks: those with goals together, as one table and one plot, and the others."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks import host_calls, plot, processes, throughput
from benchmarks.goals import Comparison, print_comparisons
from benchmarks.timing import FULL, QUICK, Effort, print_machine

ROOT = Path(__file__).resolve().parents[1]
SVG = ROOT / "docs" / "benchmarks.svg"
WITH_GOALS: dict[str, tuple[str, Callable[[Effort], list[Comparison]]]] = {
    "host-calls": ("Host calls: processor time of one", host_calls.compared),
    "startup": ("Start-up: whole processes", processes.compared),
    "throughput": ("Guests a second: two threads beside one", throughput.compared),
}
OTHERS = ("verify", "verify-batch", "collect", "generation", "journal", "rust-guest")


def main() -> None:
    """Runs what the command line names, or everything."""
    chosen = _arguments()
    names: list[str] = chosen.names or [*WITH_GOALS, *OTHERS]
    effort = QUICK if chosen.quick else FULL
    sections = {}
    for name in names:
        if name in WITH_GOALS:
            title, compared = WITH_GOALS[name]
            sections[title] = compared(effort)
            print_comparisons(title, sections[title])
    if sections:
        print_machine("wasmtime", "cryptography")
        print(f"load {' '.join(f'{load:.1f}' for load in os.getloadavg())}\n", flush=True)
    if chosen.svg is not None and set(names) >= set(WITH_GOALS):
        chosen.svg.write_text(plot.drawn(sections))
    codes = [_run(name, quick=chosen.quick) for name in names if name in OTHERS]
    sys.exit(max(codes, default=0))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*WITH_GOALS, *OTHERS, []], metavar="NAME",
                        help=f"{', '.join([*WITH_GOALS, *OTHERS])}; by default all")  # fmt: skip
    parser.add_argument("--quick", action="store_true", help="be quick, for figures of no worth")
    parser.add_argument("--svg", type=Path, help="where to draw those with goals")
    chosen = parser.parse_args()
    if chosen.svg is None and not chosen.quick:
        chosen.svg = SVG
    return chosen


def _run(name: str, *, quick: bool) -> int:
    """Runs one of the others as a process of its own: its memory and its imports are its own."""
    module = f"benchmarks.{name.replace('-', '_')}"
    print(f"## {name}\n", flush=True)
    command = [sys.executable, "-m", module, *(["--quick"] if quick else [])]
    code = subprocess.run(command, check=False, cwd=ROOT).returncode
    print(flush=True)
    return code


if __name__ == "__main__":
    main()
