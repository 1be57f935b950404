"""Measures the journal: a record with each fsync policy, and verification beside bare SHA-256.

Of a disk's time, wall clock; of the rest, processor time of all threads.
"""

from __future__ import annotations

import hashlib
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from wasmtime_attestation.issuer import TokenIssuer
from wasmtime_attestation.journal.decision import Decision, Function, Verdict
from wasmtime_attestation.journal.files import listing
from wasmtime_attestation.journal.settings import Fsync, Settings
from wasmtime_attestation.journal.verification import Expected, verify
from wasmtime_attestation.journal.writer import Journal

from benchmarks.timing import QUICK, Cell, Effort, print_machine, print_table

_DIGEST = hashlib.sha256(b"").digest()
DECISION = Decision(
    function=Function.ATTEST,
    verdict=Verdict.OK,
    guest="guest.wasm",
    guest_digest=_DIGEST,
    target="vm",
    nonce_sha256=_DIGEST,
    audience="https://relying-party.example",
    evidence_sha256=(_DIGEST,),
    token_sha256=_DIGEST,
    service="evidence",
    policy="production",
    duration=1234,
)
_RECORDS = 10_000


def main() -> None:
    """Measures everything in one run and prints the tables."""
    effort = Effort.chosen(__doc__)
    quick = effort is QUICK
    with tempfile.TemporaryDirectory() as folder:
        _write(Path(folder), 200 if quick else _RECORDS)
        print()
        _verify(Path(folder), 1000 if quick else _RECORDS, 3 if quick else 11)
    print_machine("cryptography")


def _write(folder: Path, count: int) -> None:
    rows: list[list[Cell]] = []
    for fsync in Fsync:
        many = max(100, count // 10) if fsync is Fsync.ALWAYS else count
        with Journal(Settings(folder / fsync, fsync=fsync), TokenIssuer()) as journal:
            wall, busy = time.perf_counter(), time.process_time()
            for number in range(many):
                journal.record(replace(DECISION, duration=number))
            wall, busy = time.perf_counter() - wall, time.process_time() - busy
        rows.append(
            ["a record", f"fsync {fsync}", busy / many * 1e6, wall / many * 1e6, many / wall]
        )
    print_table(("written", "how", "µs", "µs, wall clock", "records a second"), rows)


def _verify(folder: Path, count: int, rounds: int) -> None:
    directory = folder / "verified"
    with Journal(Settings(directory, fsync=Fsync.NEVER), TokenIssuer()) as journal:
        for number in range(count):
            journal.record(replace(DECISION, duration=number))
    files = listing(directory)
    bare = _median(lambda: [hashlib.sha256(path.read_bytes()) for path in files], rounds)
    whole = _median(lambda: verify(files, Expected()), rounds)
    size = sum(path.stat().st_size for path in files)
    what = f"{count:,} records, {size / 1e6:.1f} MB"
    print_table(
        ("read", "how", "ms", "of bare"),
        [[what, "bare SHA-256", bare * 1e3, 1.0], [what, "verify", whole * 1e3, whole / bare]],
    )


def _median(work: Callable[[], object], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        begin = time.process_time()
        work()
        times.append(time.process_time() - begin)
    return statistics.median(times)


if __name__ == "__main__":
    main()
