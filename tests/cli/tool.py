"""Runs the command line tool: in this process for speed, or as a process of its own."""

from __future__ import annotations

import io
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from wasmtime_attestation.cli import main

COMMAND = (sys.executable, "-m", "wasmtime_attestation")


@dataclass(frozen=True)
class Outcome:
    """How a run ended."""

    code: int
    out: str
    err: str


def run(*arguments: str | Path, stdin: bytes = b"") -> Outcome:
    """Calls `main` with arguments; a traceback is a failure in itself."""
    # As Python's own: standard error can write everything, standard output cannot.
    out, err = _stream(), _stream(errors="backslashreplace")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["wasmtime-attestation", *map(str, arguments)])
        patch.setattr(sys, "stdin", _stream(stdin))
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        with pytest.raises(SystemExit) as caught:
            main()
    assert isinstance(caught.value.code, int)
    return _checked(Outcome(caught.value.code, _text(out), _text(err)))


def run_process(*arguments: str | Path, stdin: bytes = b"", cwd: Path | None = None) -> Outcome:
    """Runs the tool as a process of its own."""
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        input=stdin,
        capture_output=True,
        check=False,
        timeout=60,
        cwd=cwd,
    )
    return _checked(Outcome(done.returncode, done.stdout.decode(), done.stderr.decode()))


def _checked(outcome: Outcome) -> Outcome:
    assert "Traceback" not in outcome.out + outcome.err
    return outcome


def _stream(data: bytes = b"", errors: str = "strict") -> io.TextIOWrapper[io.BytesIO]:
    return io.TextIOWrapper(io.BytesIO(data), "utf-8", errors, write_through=True)


def _text(stream: io.TextIOWrapper[io.BytesIO]) -> str:
    return stream.buffer.getvalue().decode()
