"""Random guests from seeds: `python -m tests.fuzz.guests FIRST COUNT`, in a process of its own."""

from __future__ import annotations

import logging
import random
import sys

from tests.fuzz import component_runs, core_runs

RUNS = {"core module": core_runs.run, "component": component_runs.run}


def seeded(seed: int) -> bytes:
    """Returns the bytes that a seed stands for."""
    dice = random.Random(seed)  # noqa: S311
    return dice.randbytes(dice.randint(1, 400))


def main(first: int, count: int) -> None:
    """Runs a guest of each kind for each seed, and says at which seed something was wrong."""
    logging.disable()  # guests that are refused fill the log
    for seed in range(first, first + count):
        for kind, run in RUNS.items():
            print(f"{kind} {seed}", flush=True)  # noqa: T201 - the last line names the culprit
            run(seeded(seed))
    print("all ran")  # noqa: T201


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
