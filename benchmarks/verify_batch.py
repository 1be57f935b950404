"""Measures batches: many quotes of one fleet, by one process and by one for each processor."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path

from wasmtime_attestation.batch import Item, verify_many
from wasmtime_attestation.batch.ordered import CHUNK, processes
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsements.x509 import der, pem
from wasmtime_attestation.evidence.envelope import Evidence, EvidenceType
from wasmtime_attestation.memo import Memo

from benchmarks.timing import QUICK, Effort, print_machine, print_table
from tests.fakes import intel
from tests.fakes.intel import Collateral, Platform

ONE = "one process"
MACHINES = 10
"""Platforms in the fleet; each has a PCK certificate and a Quoting Enclave of its own."""
FLEET = [replace(intel.PLATFORM, pce_svn=20 + number) for number in range(MACHINES)]
COLLATERAL = Collateral(intel.PLATFORM)


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds by the wall clock, and of processor time of all processes."""

    wall: float
    processor: float


def main() -> None:
    """Measures and prints the table."""
    effort = Effort.chosen(__doc__)
    count = 400 if effort is QUICK else 10_000
    workers = os.cpu_count() or 1
    quotes = [*_quotes(count)]
    spent = _library(quotes, workers) | _tool(quotes, workers)
    rows = [
        (*what, each.wall, each.processor * 1e6 / count, spent[what[0], ONE].wall / each.wall)
        for what, each in spent.items()
    ]
    print_table(
        (f"{count:,} quotes", "by", "seconds", "processor µs a quote", "times as fast"), rows
    )
    print_machine("cryptography")


def _quotes(count: int) -> Iterator[bytes]:
    """Makes quotes of the fleet in turn, each with report data of its own."""
    first = [platform.quote() for platform in FLEET]
    for number in range(count):
        yield _another(FLEET[number % MACHINES], first[number % MACHINES], number)


def _another(platform: Platform, quote: bytes, number: int) -> bytes:
    """Makes another quote of a platform whose Quoting Enclave keeps its key."""
    signed = quote[:48] + platform.body(report_data=number.to_bytes(64, "big"))
    signature = intel.ecdsa(platform.key("attestation"), signed)
    end = len(signed)
    return signed + quote[end : end + 4] + signature + quote[end + 68 :]


def _library(quotes: list[bytes], workers: int) -> dict[tuple[str, str], Spent]:
    items = [Item(Evidence(EvidenceType.INTEL_TDX, quote)) for quote in quotes]
    endorsements = COLLATERAL.endorsements()

    def alone() -> None:
        _verify(items, endorsements, None)

    def together() -> Spent:
        """Starts the processes first: an application has its executor already."""
        with processes(workers) as executor:
            _verify(items[: 4 * workers * CHUNK], endorsements, executor)
            return _timed(lambda: _verify(items, endorsements, executor))

    return {
        ("verify_many", ONE): _timed(alone),
        ("verify_many", f"{workers} processes"): _whole(together),
    }


def _whole(work: Callable[[], Spent]) -> Spent:
    """Counts what processes spent when they have ended, their start included."""
    before = _processor()
    spent = work()
    return replace(spent, processor=_processor() - before)


def _verify(items: list[Item], endorsements: Endorsements, executor: Executor | None) -> None:
    found = verify_many(
        items,
        endorsements=endorsements,
        anchors=intel.real_anchors(),
        at=intel.AT,
        executor=executor,
        memo=Memo(),
    )
    assert all(verification.outcome == "verified" for verification in found)


def _tool(quotes: list[bytes], workers: int) -> dict[tuple[str, str], Spent]:
    """Times the command line tool from its start to its end."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lines = (json.dumps({"evidence": quote.hex()}) + "\n" for quote in quotes)
        (folder / "quotes.jsonl").write_text("".join(lines))
        arguments = _arguments(folder)
        return {
            ("verify --batch", ONE): _timed(lambda: _run(arguments, 1)),
            ("verify --batch", f"{workers} processes"): _timed(lambda: _run(arguments, workers)),
        }


def _arguments(folder: Path) -> list[str]:
    root, collateral = folder / "root.pem", folder / "collateral"
    root.write_bytes(pem(intel.PLATFORM.root))
    collateral.mkdir()
    for index, data in enumerate(_files(COLLATERAL.endorsements())):
        (collateral / str(index)).write_bytes(data)
    return [
        *("verify", "--batch", str(folder / "quotes.jsonl"), "--trust", str(root)),
        *("--endorsements", str(collateral), "--at", intel.AT.isoformat()),
    ]


def _files(endorsements: Endorsements) -> Iterator[bytes]:
    yield from map(pem, endorsements.certificates)
    yield from map(der, endorsements.crls)
    for statement in endorsements.statements:
        name, signature = statement.kind.encode(), statement.signature.hex().encode()
        yield b'{"' + name + b'":' + statement.body + b',"signature":"' + signature + b'"}'


def _run(arguments: list[str], workers: int) -> None:
    subprocess.run(
        [sys.executable, "-m", "wasmtime_attestation", *arguments, "--workers", str(workers)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )


def _timed(work: Callable[[], None]) -> Spent:
    wall, processor = time.perf_counter(), _processor()
    work()
    return Spent(time.perf_counter() - wall, _processor() - processor)


def _processor() -> float:
    """Returns the processor time of this process and of those that ended."""
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


if __name__ == "__main__":
    main()
