"""Measures `run` as a whole process: a small guest, and two starts of a large one."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.goals import Comparison, Goal, at_most, print_comparisons
from benchmarks.guest import component_command, core_command
from benchmarks.timing import QUICK, Effort, print_machine

ROOT = Path(__file__).resolve().parents[1]
PYTHON_GUEST = ROOT / "build" / "guests" / "python-reporter.wasm"
BUILD = ROOT / "guests" / "python" / "build.py"
SECOND = 0.3
"""Seconds that the second start of the Python guest may take."""
BARE = (sys.executable, "-c", "import wasmtime.component")
RUN = (sys.executable, "-m", "wasmtime_attestation", "run", "--tee", "simulated")


def main() -> None:
    """Measures and prints the table."""
    print_comparisons("Start-up", compared(Effort.chosen(__doc__)))
    print_machine("wasmtime")


def compared(effort: Effort) -> list[Comparison]:
    """Measures processes, and holds them against their goals."""
    rounds = 1 if effort is QUICK else 15
    with tempfile.TemporaryDirectory() as folder:
        found = _small(Path(folder), rounds)
        if effort is not QUICK:
            subprocess.run([sys.executable, BUILD], check=True, stdout=subprocess.DEVNULL)
            found += _python(Path(folder))
    return found


def _small(folder: Path, rounds: int) -> list[Comparison]:
    commands: dict[str, Sequence[str]] = {"": BARE}
    for name, wasm in (
        ("core module", core_command(1)),
        ("component", component_command(1)),
    ):
        path = folder / f"{name.split(maxsplit=1)[0]}.wasm"
        path.write_bytes(wasm)
        commands[name] = (*RUN[:-1], "none", str(path))
    spent = _medians(commands, _environment(folder / "home"), rounds)
    bare = spent.pop("")
    against = "python -c 'import wasmtime.component'"
    return [
        Comparison(
            f"run of a small guest, {name}", own, bare, "ms", against, own / bare, at_most(1.5)
        )
        for name, own in spent.items()
    ]


def _python(folder: Path, starts: int = 5) -> list[Comparison]:
    """The first start in a new home compiles the guest; the later ones find it compiled."""
    environment = _environment(folder / "python")
    first = _milliseconds((*RUN, str(PYTHON_GUEST)), environment)
    second = statistics.median(
        _milliseconds((*RUN, str(PYTHON_GUEST)), environment) for _ in range(starts)
    )
    bound = first / (SECOND * 1e3)
    goal = Goal(bound, is_least=True, text=f"at most {SECOND * 1e3:g} ms")
    what = f"second start of the Python guest ({PYTHON_GUEST.stat().st_size / 1e6:.0f} MB)"
    return [Comparison(what, second, first, "ms", "its first start", first / second, goal)]


def _environment(home: Path) -> dict[str, str]:
    home.mkdir(parents=True, exist_ok=True)
    own = {"HOME": str(home), "XDG_CACHE_HOME": str(home / "cache")}
    return os.environ | own | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def _medians(
    commands: Mapping[str, Sequence[str]], environment: Mapping[str, str], rounds: int
) -> dict[str, float]:
    """Returns the median ms of each command; every round runs every command once."""
    found: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds + 1):
        for name, command in commands.items():
            found[name].append(_milliseconds(command, environment))
    # The first round also wrote byte code and machine code, where they are kept.
    return {name: statistics.median(values[1:]) for name, values in found.items()}


def _milliseconds(command: Sequence[str], environment: Mapping[str, str]) -> float:
    begin = time.perf_counter()
    subprocess.run(
        command, check=True, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    return (time.perf_counter() - begin) * 1e3


if __name__ == "__main__":
    main()
