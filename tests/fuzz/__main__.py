"""Fuzzes decoders, and the host with guests: `python -m tests.fuzz [--seconds N] [NAME …]`."""

from __future__ import annotations

import contextlib
import logging
import subprocess
import sys
import tempfile
from pathlib import Path

import atheris
import click

MAX_LENGTH = 32 << 10
"""Bytes of an input: more than any seed has."""

with atheris.instrument_imports(include=["wasmtime_attestation"]):
    from tests.fuzz.targets import GUESTS, TARGETS


@click.command()
@click.argument("names", nargs=-1, type=click.Choice([*TARGETS, *GUESTS]))
@click.option("--seconds", type=click.IntRange(min=1), default=600, help="For all of them.")
@click.option("--here", is_flag=True, help="In this process; for one target alone.")
def main(names: tuple[str, ...], seconds: int, *, here: bool) -> None:
    """Fuzzes the targets NAMES, or all decoders; exits with 1 where one raised what it must not."""
    if here:
        fuzz(names[0], seconds)
    chosen = names or tuple(TARGETS)
    failed = [name for name in chosen if not _survives(name, max(1, seconds // len(chosen)))]
    if failed:
        sys.exit(f"defects in {', '.join(failed)}")
    click.echo(f"{len(chosen)} targets raised nothing but the project's own errors")


def _survives(name: str, seconds: int) -> bool:
    """In a process of its own, which libFuzzer ends."""
    command = [sys.executable, "-m", "tests.fuzz", name, "--seconds", str(seconds), "--here"]
    click.echo(f"{name}: {seconds} s")
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        click.echo(done.stderr[-4000:], err=True)
    else:
        click.echo("  " + done.stderr.strip().rpartition("\n")[2])
    return done.returncode == 0


def fuzz(name: str, seconds: int) -> None:
    """Fuzzes one target; does not return."""
    target = {**TARGETS, **GUESTS}[name]
    logging.disable()

    def test_one_input(data: bytes) -> None:
        with contextlib.suppress(*target.refuses):
            target.decode(data)

    with tempfile.TemporaryDirectory() as folder:
        for number, seed in enumerate(target.seeds):
            (Path(folder) / f"{number}").write_bytes(seed)
        limits = [f"-max_total_time={seconds}", f"-max_len={MAX_LENGTH}", "-timeout=10"]
        # The input that broke it stands in the message; its file goes with the folder.
        atheris.Setup(["fuzz", *limits, f"-artifact_prefix={folder}/", folder], test_one_input)
        atheris.Fuzz()


main()
