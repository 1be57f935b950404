"""Cases that might take the interpreter with them, in a process of their own.

One process runs many cases; one that ends within a case is that case's outcome, and another
process goes on with the next.
"""

from __future__ import annotations

import faulthandler
import importlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from subprocess import DEVNULL, PIPE

ROOT = Path(__file__).parents[2]
HANGS = 60.0
"""What a case is given, in seconds, where nothing else is said."""

Case = Callable[[], str]


@dataclass(frozen=True)
class Done:
    """What became of a case.

    Attributes:
        outcome: what it returned; how the process ended, where it did.
        seconds: how long it took, by the clock.
        cpu: seconds of processor time.
        megabytes: by how much the peak of resident memory grew.
        errors: what its process wrote to standard error, where it ended.
    """

    outcome: str
    seconds: float = 0.0
    cpu: float = 0.0
    megabytes: float = 0.0
    errors: str = ""


def outcomes(module: str, *, hangs: float = HANGS) -> Mapping[str, Done]:
    """Runs `CASES` of a module.

    Args:
        module: its name; it imports in the other process what pytest need not.
        hangs: after how many seconds a case is given up, with a traceback of every thread.
    """
    names: list[str] = list(importlib.import_module(module).CASES)
    done: dict[str, Done] = {}
    while left := [name for name in names if name not in done]:
        with tempfile.TemporaryDirectory() as folder:
            records = Path(folder) / "records"
            records.touch()
            command = [*_COMMAND, str(records), module, str(hangs), *left]
            process = subprocess.run(
                command, cwd=ROOT, stdout=DEVNULL, stderr=PIPE, text=True, check=False
            )
            for line in records.read_text().splitlines():
                name, record = json.loads(line)
                done[name] = Done(**record)
        if lost := next((name for name in left if name not in done), None):
            errors = process.stderr[-10_000:]
            done[lost] = Done(f"process ended: {process.returncode}", errors=errors)
    return done


_COMMAND = (sys.executable, "-m", "tests.hostile.apart")


def _cpu() -> float:
    used = getrusage(RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _peak() -> float:
    return getrusage(RUSAGE_SELF).ru_maxrss / 1024


def main(records: str, module: str, hangs: str, *names: str) -> None:
    """Runs cases and appends a line of JSON about each to a file."""
    cases = importlib.import_module(module).CASES
    for name in names:
        faulthandler.dump_traceback_later(float(hangs), exit=True)
        start, cpu, peak = time.monotonic(), _cpu(), _peak()
        outcome = cases[name]()
        done = Done(outcome, time.monotonic() - start, _cpu() - cpu, _peak() - peak)
        with Path(records).open("a") as file:
            file.write(json.dumps([name, asdict(done)]) + "\n")
    faulthandler.cancel_dump_traceback_later()


if __name__ == "__main__":
    main(*sys.argv[1:])
