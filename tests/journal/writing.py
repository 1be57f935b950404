"""A host that only keeps a journal, as a process: `python -m tests.journal.writing DIR MODE`."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

from wasmtime_attestation.errors import AttestationError
from wasmtime_attestation.issuer import TokenIssuer
from wasmtime_attestation.journal.settings import Fsync, OnFailure, Settings
from wasmtime_attestation.journal.writer import Journal

from tests.journal.kept import DECISION

_ENOUGH = 200


def forever(journal: Journal) -> None:
    """Records until it is killed; says each number only after it is recorded."""
    number = 0
    while True:
        number += 1
        journal.record(replace(DECISION, duration=number))
        print(number, flush=True)  # noqa: T201


def full(journal: Journal, directory: Path) -> None:
    """Fills the disk, goes on, frees it, and goes on; says how calls ended."""
    ballast = os.open(directory.parent / "ballast", os.O_WRONLY | os.O_CREAT)
    with contextlib.suppress(OSError):
        for _ in range(1 << 12):
            os.write(ballast, bytes(1024))
    ended = [_outcome(journal, number) for number in range(_ENOUGH)]
    os.close(ballast)
    (directory.parent / "ballast").unlink()
    ended += [_outcome(journal, number) for number in range(3)]
    for outcome in dict.fromkeys(ended):
        print(outcome, ended.count(outcome))  # noqa: T201
    print("last", ended[-1])  # noqa: T201


def _outcome(journal: Journal, number: int) -> str:
    try:
        journal.record(replace(DECISION, duration=number))
    except AttestationError as error:
        return error.case
    return "ok"


def main() -> None:
    """Keeps a journal as the arguments say."""
    directory, mode = Path(sys.argv[1]), sys.argv[2]
    on_failure = OnFailure(sys.argv[3]) if mode == "full" else OnFailure.STOP
    settings = Settings(directory, fsync=Fsync.NEVER, on_failure=on_failure, checkpoint_records=50)
    with Journal(settings, TokenIssuer()) as journal:
        match mode:
            case "forever":
                forever(journal)
            case "full":
                full(journal, directory)
            case "hold":
                print("open", flush=True)  # noqa: T201
                time.sleep(60)
            case _:
                raise ValueError(mode)


if __name__ == "__main__":
    main()
