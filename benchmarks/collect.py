"""Measures `attest vm` on emulated hardware, as whole processes and call by call.

Run `python -m benchmarks.collect` as root on Linux.
"""

from __future__ import annotations

import json
import resource
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from benchmarks.timing import QUICK, Effort, print_machine, print_table
from tests.emulation.emulation import Emulation
from tests.emulation.namespace import Namespace
from tests.emulation.qgs import QuoteGenerationService
from tests.emulation.sev_guest import SevGuest
from tests.emulation.tdx_guest import TdxGuest
from tests.emulation.tsm import ConfigfsTsm

ATTEST = (sys.executable, "-m", "wasmtime_attestation", "attest", "vm")
# What `attest` imports of others: without it no token can be signed.
LIBRARIES = (
    "import click, jwt, lxml.etree, cryptography.x509.ocsp\n"
    "from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa\n"
)
BARE = (sys.executable, "-c", LIBRARIES)
MACHINES: Mapping[str, tuple[str, Callable[[], Sequence[Emulation]]]] = {
    "SEV-SNP, configfs-tsm": ("tsm.TsmAttester", lambda: [ConfigfsTsm("sev_guest")]),
    "TDX, configfs-tsm": ("tsm.TsmAttester", lambda: [ConfigfsTsm("tdx_guest")]),
    "SEV-SNP, /dev/sev-guest": ("sev_guest.SevGuestAttester", lambda: [SevGuest()]),
    "TDX, /dev/tdx_guest and QGS": (
        "tdx_guest.TdxGuestAttester",
        lambda: [TdxGuest(), QuoteGenerationService()],
    ),
}
GUESTS = 32


class Spent(NamedTuple):
    """Milliseconds of a process: on the clock, and of the processor's time its own."""

    wall: float
    processor: float


class Call(NamedTuple):
    """Milliseconds of one `collect`: on the clock, and what the caller's own thread computed."""

    wall: float
    own: float


def main() -> None:
    """Measures and prints the tables."""
    quick = Effort.chosen(__doc__) is QUICK
    rounds = 1 if quick else 15
    processes: list[Sequence[str | float]] = []
    calls: list[Sequence[str | float]] = []
    for name, (attester, emulations) in MACHINES.items():
        with Namespace(emulations()) as machine:
            whole, bare = _processes(machine, rounds)
            ours = whole.processor - bare.processor
            processes.append((name, whole.wall, whole.processor, bare.processor, ours))
            call = _call(machine, attester, rounds)
            calls.append((name, call.wall, call.own, _guests(machine, 2 if quick else GUESTS)))
    print_table(
        ("attest vm", "wall ms", "processor ms", "of it libraries", "of it ours"), processes
    )
    print()
    print_table(("collect", "wall ms", "of it ours", f"{GUESTS} guests, s"), calls)
    print_machine("cryptography", "click")


def _processes(machine: Namespace, rounds: int) -> tuple[Spent, Spent]:
    """Returns the medians of `attest vm` and of Python with the same libraries, side by side."""
    found: dict[Sequence[str], list[Spent]] = {ATTEST: [], BARE: []}
    for _ in range(rounds + 1):
        for command in found:
            found[command].append(_run(machine, command))
    # The first round also wrote byte code.
    whole, bare = (
        Spent(*map(statistics.median, zip(*values[1:], strict=True))) for values in found.values()
    )
    return whole, bare


def _compiled(machine: Namespace) -> tuple[str, ...]:
    """Returns what lets Python keep its byte code, as it is where a package was installed."""
    folder = machine.folder("home") / "byte-code"
    return "PYTHONDONTWRITEBYTECODE=", f"PYTHONPYCACHEPREFIX={folder}"


def _run(machine: Namespace, command: Sequence[str]) -> Spent:
    before, start = _processor(), time.perf_counter()
    outcome = machine.run("env", *_compiled(machine), *command)
    assert outcome.code == 0, outcome.err
    return Spent((time.perf_counter() - start) * 1e3, (_processor() - before) * 1e3)


def _processor() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


# A pause before each call, so that no call waits for its turn.
CALLS = """
import json, os, statistics, sys, time
from wasmtime_attestation.attesters.{module} import {name}
attester, wall, own = {name}(), [], []
for _ in range({rounds}):
    time.sleep(0.06)
    data = os.urandom(64)
    begin, began = time.perf_counter(), time.thread_time()
    attester.collect(data)
    own.append(time.thread_time() - began)
    wall.append(time.perf_counter() - begin)
print(json.dumps([statistics.median(values) * 1e3 for values in (wall, own)]))
"""


def _call(machine: Namespace, attester: str, rounds: int) -> Call:
    module, _, name = attester.partition(".")
    program = CALLS.format(module=module, name=name, rounds=2 * rounds)
    outcome = machine.run(sys.executable, "-c", program)
    assert outcome.code == 0, outcome.err
    return Call(*json.loads(outcome.out))


def _guests(machine: Namespace, count: int) -> float:
    """Returns the seconds in which all guests of one host, begun at once, have their tokens."""
    program = (sys.executable, "-m", "tests.emulation.guests_at_once", str(count))
    outcome = machine.run(*program, timeout=300)
    assert outcome.code == 0, outcome.err
    answer = json.loads(outcome.out)
    assert answer["codes"] == [0] * count
    return float(answer["seconds"])


if __name__ == "__main__":
    main()
