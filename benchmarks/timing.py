"""Measures work in batches, several kinds side by side, and prints what it found as a table."""

from __future__ import annotations

import argparse
import gc
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from typing import TypeVar

K = TypeVar("K")
Cell = str | float


@dataclass(frozen=True, slots=True)
class Effort:
    """How long to measure.

    Attributes:
        rounds: how often each batch runs; the result is the median of the rounds.
        seconds: about how long one batch takes.
    """

    rounds: int
    seconds: float

    @classmethod
    def chosen(cls, description: str | None) -> Effort:
        """Reads the command line, which may say `--quick`; ends the program where it is wrong.

        Args:
            description: what the program does, for its `--help`.
        """
        parser = argparse.ArgumentParser(description=description)
        parser.add_argument(
            "--quick", action="store_true", help="take about a second, for figures of no worth"
        )
        return QUICK if parser.parse_args().quick else FULL


FULL = Effort(rounds=51, seconds=0.02)
QUICK = Effort(rounds=3, seconds=0.002)


def _nothing(_calls: int) -> None:
    """The preparation of a batch that needs none."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Calls to be timed together.

    Attributes:
        run: makes as many calls as it is told.
        prepare: is called with the same number before each `run`, and is not timed.
        limit: the most calls that one batch can make.
    """

    run: Callable[[int], object]
    prepare: Callable[[int], object] = _nothing
    limit: int = 1 << 20

    @classmethod
    def of(cls, function: Callable[[], object]) -> Batch:
        """Returns a batch that calls a Python function; the loop adds about 0.02 µs a call."""

        def run(calls: int) -> None:
            for _ in range(calls):
                function()

        return cls(run)


def measure(batches: Mapping[K, Batch], effort: Effort) -> dict[K, float]:
    """Returns the median µs of this thread's processor time that a call of each batch takes.

    Every round runs every batch once, so that whatever else the machine does
    falls on all of them alike.

    Args:
        batches: what to measure.
        effort: how long.
    """
    with _without_collector():
        sizes = {key: _size(batch, effort.seconds) for key, batch in batches.items()}
        times: dict[K, list[float]] = {key: [] for key in batches}
        for _ in range(effort.rounds):
            gc.collect()
            for key, batch in batches.items():
                times[key].append(_seconds(batch, sizes[key]) / sizes[key])
    return {key: statistics.median(values) * 1e6 for key, values in times.items()}


def print_table(header: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
    """Prints a table that reads well as it is and as Markdown; numbers stand to the right.

    Args:
        header: the columns' names.
        rows: the cells; a number is rounded to what it may be worth.
    """
    lines = [list(header), *([_text(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    numeric = [not isinstance(cell, str) for cell in rows[0]]
    rule = [
        "-" * (width - right) + ":" * right for width, right in zip(widths, numeric, strict=True)
    ]
    for line in (lines[0], rule, *lines[1:]):
        cells = (
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, numeric, strict=True)
        )
        print(f"| {' | '.join(cells)} |")


def print_machine(*distributions: str) -> None:
    """Prints what was measured on.

    Args:
        distributions: the libraries whose versions matter.
    """
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in distributions)
    python = f"{platform.python_implementation()} {platform.python_version()}"
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    print(f"\n{python}, {versions}, {machine}")


@contextmanager
def _without_collector() -> Iterator[None]:
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _size(batch: Batch, seconds: float) -> int:
    """Returns how many calls take about `seconds`."""
    _seconds(batch, 1)  # the first call of all sets things up, and says nothing of the others
    calls = 1
    while (spent := _seconds(batch, calls)) < seconds / 4 and calls < batch.limit:
        calls = min(calls * 2, batch.limit)
    return max(1, min(batch.limit, round(calls * seconds / spent)))


def _seconds(batch: Batch, calls: int) -> float:
    batch.prepare(calls)
    begin = time.thread_time_ns()  # not the wall clock: the machine has other work
    batch.run(calls)
    return max(1, time.thread_time_ns() - begin) / 1e9


def _text(cell: Cell) -> str:
    if isinstance(cell, str):
        return cell
    return f"{cell:,.0f}" if cell >= 100 else f"{cell:#.3g}"
