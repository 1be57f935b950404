"""Measures how many guests a second one runtime runs, on one thread and on two.

The control is work without this project: what it gains from a second thread is what the machine has
to give at that moment.
"""

from __future__ import annotations

import hashlib
import statistics
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from wasmtime import Engine, Func, Linker, Module, Store
from wasmtime_attestation.world.runtime import Guest, Runtime

from benchmarks.goals import Comparison, at_least, print_comparisons
from benchmarks.guest import component_command, core_command
from benchmarks.host_calls import started_service
from benchmarks.timing import QUICK, Effort, print_machine

THREADS = 2
SMALL, LARGE = 1_000, 10_000_000
"""Iterations of a guest that does nearly nothing, and of one that works for about ten ms."""
_SPIN = """(module (func (export "spin") (param i32)
  (loop $again
    (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
    (br_if $again (local.get 0)))))"""
_CONTENT = bytes(1 << 20)

Work = Callable[[], object]


def main() -> None:
    """Measures and prints the table."""
    print_comparisons("Guests a second", compared(Effort.chosen(__doc__)))
    print_machine("wasmtime")


def compared(effort: Effort) -> list[Comparison]:
    """Measures work on one thread and on two, and holds guests against their goal."""
    is_quick = effort is QUICK
    rounds, seconds = (1, 0.02) if is_quick else (11, 0.4)
    controls = {"bare SHA-256 of 1 MiB": _hash, "bare loop of wasmtime-py": _spinner()}
    # The first guest is a small one, and its goal is the same: starting must not be in the way.
    kinds = _guests(SMALL if is_quick else LARGE)
    rates = _rates(kinds | controls, rounds, seconds)
    return [_compared(what, *rate, is_control=what in controls) for what, rate in rates.items()]


def _compared(what: str, one: float, two: float, *, is_control: bool) -> Comparison:
    goal = None if is_control else at_least(1.8)
    return Comparison(what, two, one, "1/s", "one thread", two / one, goal)


def _guests(iterations: int) -> dict[str, Work]:
    runtime, service = Runtime(), started_service()

    def run(wasm: bytes) -> Work:
        guest = Guest("benchmark", wasm)
        world = service.for_guest(guest.digest)
        runtime.compile(guest)
        return lambda: runtime.run(guest, world)

    return {
        "guests that ask once, core module": run(core_command(SMALL)),
        "guests that ask once, component": run(component_command(SMALL)),
        "guests that work for 10 ms, core module": run(core_command(iterations)),
        "guests that work for 10 ms, component": run(component_command(iterations)),
    }


def _rates(
    kinds: Mapping[str, Work], rounds: int, seconds: float
) -> dict[str, tuple[float, float]]:
    """Returns how often a second each is done by one thread, and by two; medians."""
    found: dict[str, list[tuple[float, float]]] = {what: [] for what in kinds}
    with ThreadPoolExecutor(THREADS) as pool:
        for _ in range(rounds):
            for what, work in kinds.items():
                found[what].append((_rate(pool, work, 1, seconds), _rate(pool, work, 2, seconds)))
    # Of the pairs: both halves of one were measured one right after the other.
    return {what: _middle(pairs) for what, pairs in found.items()}


def _middle(pairs: list[tuple[float, float]]) -> tuple[float, float]:
    one = statistics.median(one for one, _ in pairs)
    return one, one * statistics.median(two / one for one, two in pairs)


def _rate(pool: ThreadPoolExecutor, work: Work, threads: int, seconds: float) -> float:
    begin = time.perf_counter()
    end = begin + seconds

    def repeat(_number: int) -> int:
        count = 0
        while time.perf_counter() < end:
            work()
            count += 1
        return count

    count = sum(pool.map(repeat, range(threads)))
    return count / (time.perf_counter() - begin)


def _hash() -> None:
    hashlib.sha256(_CONTENT).digest()


def _spinner() -> Work:
    engine = Engine()
    linked = Linker(engine).instantiate_pre(Module(engine, _SPIN))

    def spin() -> None:
        store = Store(engine)
        function = linked.instantiate(store).exports(store)["spin"]
        assert isinstance(function, Func)
        function(store, LARGE)

    return spin


if __name__ == "__main__":
    main()
