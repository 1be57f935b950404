"""Journals of real guests: a disk that fills up while one runs, and a host that is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.tool import COMMAND, Outcome, run
from tests.tools import missing, require
from tests.world.commands import (
    CLEAR,
    CLEAR_IMPORTS,
    CORE_CLEAR,
    EXIT,
    WORLD,
    component,
    core,
)

NONCE = "0123456789abcdef" * 2
FOREVER = "(loop (call $clear) (br 0))"


def records(journal: Path) -> list[dict[str, Any]]:
    files = sorted(journal.glob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def decisions(journal: Path) -> list[tuple[str, str]]:
    found = [record for record in records(journal) if record["kind"] == "decision"]
    return [(record["function"], record["verdict"]) for record in found]


def on_a_small_disk(folder: Path, size: str, *arguments: str | Path) -> Outcome:
    """Runs the tool with `disk` as a file system of its own, and leaves a copy in `kept`."""
    if os.geteuid() != 0:
        missing("a small file system needs root")
    disk = folder / "disk"
    disk.mkdir()
    mounted = f'mount -t tmpfs -o size={size},mode=700 none "$0" && "$@"; code=$?; '
    mounted += 'cp -r "$0" "$0/../kept"; exit $code'
    command = [require("unshare"), "-m", "--propagation", "private", "sh", "-c", mounted]
    done = subprocess.run(
        [*command, disk, *COMMAND, *arguments], capture_output=True, check=False, timeout=60
    )
    return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())


def asking(abi: str) -> bytes:
    """Returns a guest that asks a hundred times, and ends at the first answer that is an error.

    Its exit code is how many answers it got, and of a component whether one was an error.
    """
    if abi == "component":
        room = "(drop (memory.grow (i32.const 64)))"
        again = "(br_if $l (i32.eqz (i32.load8_u (i32.const 64))))"
        loop = f"{room} (loop $l (call $vm (i32.const 64)) {again})"
        return component(f"{loop} (i32.const 1)", CLEAR, CLEAR_IMPORTS).wasm
    # The envelope begins with {"success":t, four bytes of length before it.
    ok = "(i32.eq (i32.load8_u offset=15 (call $attest)) (i32.const 116))"
    imports = f'(import {WORLD} "attest_vm" (func $attest (result i32))) {EXIT}'
    count = "(local.set $n (i32.add (local.get $n) (i32.const 1)))"
    more = "(br_if $l (i32.lt_u (local.get $n) (i32.const 100)))"
    loop = f"(block $b (loop $l (br_if $b (i32.eqz {ok})) {count} {more}))"
    return core(f"(local $n i32) {loop} (call $exit (local.get $n))", imports).wasm


@pytest.mark.parametrize(
    ("abi", "policy"),
    # This component would ask for ever if it were answered for ever.
    [("legacy", "stop"), ("legacy", "continue"), ("component", "stop")],
)
def test_a_disk_that_fills_up_while_a_guest_asks(abi: str, policy: str, tmp_path: Path) -> None:
    """A decision that cannot be recorded is not answered, unless the host is told to go on."""
    guest, config = tmp_path / "guest.wasm", tmp_path / "host.toml"
    guest.write_bytes(asking(abi))
    config.write_text(
        f'schema = 1\n[journal]\non-failure = "{policy}"\ndirectory = "disk/journal"\n'
        "[guests.default]\nattest-per-minute = 0\n"
    )
    config.chmod(0o600)
    outcome = on_a_small_disk(
        tmp_path, "64k", "run", "--tee", "simulated", "--config", config, guest
    )
    kept = tmp_path / "kept" / "journal"
    found = decisions(kept)
    assert found[0] == ("start", "ok")
    written = found.count(("attest-vm", "ok"))
    assert 10 < written < 90
    if policy == "continue":
        assert outcome.code == 100
        assert "ARE ANSWERED WITHOUT A RECORD" in outcome.err
    else:
        # What the guest was told, and what is on the disk, are the same.
        assert outcome.code == (written if abi == "legacy" else 1), outcome.err
    verified = run("journal", "verify", kept)
    assert verified.code == 0, verified.err


@pytest.mark.parametrize("abi", ["legacy", "component"])
def test_a_host_whose_journal_cannot_be_written_starts_no_guest(abi: str, tmp_path: Path) -> None:
    guest = tmp_path / "guest.wasm"
    guest.write_bytes(asking(abi))
    asked = ("run", "--tee", "simulated", "--journal", tmp_path / "disk" / "journal", guest)
    outcome = on_a_small_disk(tmp_path, "4k", *asked)
    assert (outcome.code, outcome.out) == (125, "")
    assert "not started: " in outcome.err


@pytest.mark.parametrize("abi", ["legacy", "component"])
def test_a_host_that_is_killed_amid_its_guests_calls(abi: str, tmp_path: Path) -> None:
    guest, journal = tmp_path / "guest.wasm", tmp_path / "journal"
    made = core(FOREVER, CORE_CLEAR) if abi == "legacy" else None
    guest.write_bytes((made or component(f"{FOREVER} unreachable", CLEAR, CLEAR_IMPORTS)).wasm)
    command = ["run", "--tee", "simulated", "--journal", str(journal), "--timeout", "60"]
    for kills in range(1, 3):
        process = subprocess.Popen([*COMMAND, *command, str(guest)], stderr=subprocess.PIPE)
        deadline = time.monotonic() + 40
        while len(list(journal.glob("*"))) == 0 or _size(journal) < kills * 200_000:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert run("attest", "vm", "--tee", "simulated", "--journal", journal).code == 0
    verified = run("journal", "verify", "--json", journal)
    assert verified.code == 0, verified.err
    found = [record for record in records(journal) if record["kind"] != "decision"]
    assert sum(record["kind"] == "open" for record in found) >= 1
    assert len({record["instance"] for record in records(journal)}) == 3


def _size(journal: Path) -> int:
    return sum(file.stat().st_size for file in journal.glob("*.jsonl"))


def test_attest_keeps_a_journal(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    asked = ("--tee", "simulated", "--nonce", NONCE, "--journal", journal)
    token = run("attest", "vm", *asked)
    assert token.code == 0
    assert run("attest", "gpu:3", *asked).code == 3
    assert decisions(journal) == [("attest", "ok"), ("attest", "unsupported")]
    ok, refused = (record for record in records(journal) if record["kind"] == "decision")
    assert (ok["guest"], ok["target"], refused["target"]) == (None, "vm", "gpu:3")
    assert NONCE not in (journal / "journal-000000000001.jsonl").read_text()
    assert token.out.strip() not in (journal / "journal-000000000001.jsonl").read_text()
    assert run("journal", "verify", journal).code == 0
