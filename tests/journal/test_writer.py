"""Writing: one writer, threads, rotation, full disks, power cuts, kills, and others' hands."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from wasmtime_attestation.errors import (
    InternalError,
    InvalidArgumentError,
    UnavailableError,
)
from wasmtime_attestation.issuer import TokenIssuer
from wasmtime_attestation.journal.files import listing
from wasmtime_attestation.journal.record import MAX_LINE
from wasmtime_attestation.journal.settings import Fsync, OnFailure, Settings
from wasmtime_attestation.journal.writer import Journal

from tests.fakes.host import Clock
from tests.journal.kept import (
    DECISION,
    check,
    keep,
    lines_of,
    open_journal,
    problem,
    sealed,
    settings,
)
from tests.tools import missing, require

ROOT = Path(__file__).parents[2]
WRITING = (sys.executable, "-m", "tests.journal.writing")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "journal"


def kinds(directory: Path) -> list[str]:
    return [record["kind"] for record in records(directory)]


def records(directory: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for path in listing(directory) for line in lines_of(path)]


def test_files_are_private(directory: Path) -> None:
    (path,) = keep(directory)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(entry.name for entry in directory.iterdir()) == [
        "journal-000000000001.jsonl",
        "lock",
    ]


def test_a_record_is_in_the_file_when_the_call_returns(directory: Path) -> None:
    with open_journal(directory) as journal:
        for number in range(1, 4):
            journal.record(DECISION)
            assert len(lines_of(listing(directory)[0])) == 1 + number


def test_a_journal_goes_on_after_a_restart(directory: Path) -> None:
    keep(directory, 2)
    (path,) = keep(directory, 2)
    assert kinds(directory) == ["open", "decision", "decision", "checkpoint"] * 2
    found = check([path])
    assert found.problem is None
    assert len(found.signers) == 2
    assert len({record["instance"] for record in records(directory)}) == 2


def test_a_closed_journal_takes_nothing(directory: Path) -> None:
    journal = open_journal(directory)
    journal.close()
    journal.close()
    with pytest.raises(InternalError, match="closed"):
        journal.record(DECISION)


def test_a_second_writer_is_refused_and_told_who_writes(directory: Path) -> None:
    with (
        open_journal(directory),
        pytest.raises(UnavailableError, match=rf"pid {os.getpid()}\) .*folder of its own"),
    ):
        open_journal(directory)
    open_journal(directory).close()


def test_a_second_process_is_refused(directory: Path) -> None:
    with writing(directory, "hold") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"open\n"
        with pytest.raises(UnavailableError, match=f"pid {process.pid}"):
            open_journal(directory)
        process.kill()
        process.wait()
        open_journal(directory).close()
    assert check(listing(directory)).problem is None


def writing(directory: Path, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*WRITING, directory, *arguments], stdout=subprocess.PIPE, cwd=ROOT, env=environment()
    )


def environment() -> dict[str, str]:
    path = os.pathsep.join((str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])))
    return os.environ | {"PYTHONPATH": path}


def test_kill_9_loses_nothing_that_was_answered(directory: Path) -> None:
    answered = 0
    for round_ in range(3):
        with writing(directory, "forever") as process:
            assert process.stdout is not None
            said = [process.stdout.readline() for _ in range(40 + 30 * round_)]
            process.send_signal(signal.SIGKILL)
            said += process.stdout.read().splitlines()
            process.wait()
            answered += int(said[-1])
    open_journal(directory).close()
    found = check(listing(directory))
    assert found.problem is None
    assert answered <= found.records["decision"] <= answered + 3
    assert found.records["open"] == 4


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_writes_nothing(directory: Path) -> None:
    with open_journal(directory) as journal:
        child = os.fork()
        if child == 0:
            try:
                journal.record(DECISION)
            except InternalError:
                os._exit(7)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        journal.record(DECISION)
    assert check(listing(directory)).problem is None


def test_threads_share_a_journal(directory: Path) -> None:
    with open_journal(directory, checkpoint_records=50, rotate_bytes=1 << 16) as journal:

        def many(thread: int) -> None:
            for number in range(50):
                journal.record(replace(DECISION, guest=f"{thread}", duration=number))

        threads = [threading.Thread(target=many, args=(thread,)) for thread in range(8)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
    found = check(listing(directory))
    assert found.problem is None
    assert found.records["decision"] == 400
    for thread in range(8):
        own = [r["duration_us"] for r in records(directory) if r.get("guest") == f"{thread}"]
        assert own == list(range(50))


def test_files_are_left_by_size(directory: Path) -> None:
    files = keep(directory, 100, rotate_bytes=1 << 14)
    assert len(files) == 5
    assert all(path.stat().st_size < (1 << 14) + 2048 for path in files)
    for before, after in pairwise(files):
        last, first = json.loads(lines_of(before)[-1]), json.loads(lines_of(after)[0])
        assert (last["kind"], last["reason"]) == ("checkpoint", "rotation")
        assert (first["kind"], first["reason"], first["former"]) == (
            "rotation",
            "size",
            before.name,
        )
        assert first["prev"] == last["hash"]
        assert after.name == f"journal-{first['seq']:012}.jsonl"


def test_files_are_left_by_age_also_after_a_restart(directory: Path) -> None:
    clock = Clock()
    for _ in range(2):
        with Journal(settings(directory, rotate_seconds=100), TokenIssuer(), clock) as journal:
            journal.record(DECISION)
            clock.now += 60
            journal.record(DECISION)
    assert len(listing(directory)) == 2
    assert check(listing(directory)).problem is None


def test_old_files_are_removed_and_only_those(directory: Path) -> None:
    files = keep(directory, 200, rotate_bytes=1 << 14, keep_files=3)
    assert len(files) == 3
    found = check(files)
    assert found.problem is None
    assert found.first is not None
    assert found.first.sequence > 1
    files[0].unlink()
    assert problem(files[1:])[2] == "journal.files"


def test_what_was_kept_is_known_after_a_restart(directory: Path) -> None:
    keep(directory, 200, rotate_bytes=1 << 14, keep_files=3)
    files = keep(directory, 60, rotate_bytes=1 << 14)
    assert len(files) > 4
    assert check(files).problem is None
    assert problem(files[1:])[2] == "journal.files"


def test_files_that_somebody_removed_stay_missing(directory: Path) -> None:
    files = keep(directory, 60, rotate_bytes=1 << 14)
    files[0].unlink()
    keep(directory, 60, rotate_bytes=1 << 14)
    assert problem(listing(directory))[2] == "journal.files"


def test_every_torn_end_is_repaired(tmp_path: Path) -> None:
    (path,) = keep(tmp_path / "journal")
    data, lines = path.read_bytes(), lines_of(path)
    begin = len(data) - len(lines[-1])
    for size in [*range(begin, len(data), 41), len(data) - 1]:
        directory = tmp_path / f"torn-{size}"
        directory.mkdir(mode=0o700)
        (directory / path.name).write_bytes(data[:size])
        open_journal(directory).close()
        found = check(listing(directory))
        assert found.problem is None
        assert found.cut == size - begin
        torn = hashlib.sha256(data[begin:size]).hexdigest()
        cut = [(r["cut_bytes"], r["cut_sha256"]) for r in records(directory) if "cut_bytes" in r]
        assert cut == ([(size - begin, torn)] if size > begin else [])


@pytest.mark.parametrize(
    "tail", [b"\0" * 5000, b"\0" * 700 + b"\n", b"{\n", b"\n\n\n", b"\xff" * 9]
)
def test_what_a_power_cut_leaves_is_cut(directory: Path, tail: bytes) -> None:
    (path,) = keep(directory)
    with path.open("ab") as file:
        file.write(tail)
    assert problem([path])[2] == "journal.format"
    open_journal(directory).close()
    found = check([path])
    assert (found.problem, found.cut) == (None, len(tail))


def test_a_journal_that_begins_torn_is_repaired(directory: Path) -> None:
    (path,) = keep(directory)
    whole = path.read_bytes()
    path.write_bytes(whole[:100])
    open_journal(directory).close()
    assert kinds(directory) == ["open", "repair", "checkpoint"]
    path.write_bytes(b"")
    open_journal(directory).close()
    assert kinds(directory) == ["open", "checkpoint"]
    assert check([path]).problem is None


@pytest.mark.parametrize("left", [b"", b"\0\0\0", b'{"schema":1,"seq":'])
def test_a_crash_at_a_rotation_is_repaired(directory: Path, left: bytes) -> None:
    *files, last = keep(directory, 60, rotate_bytes=1 << 14)
    last.write_bytes(left)
    last.chmod(0o600)
    open_journal(directory).close()
    found = check([*files, last])
    assert (found.problem, found.cut) == (None, len(left))
    assert kinds(directory)[-4 if left else -3] == "rotation"


def test_what_no_power_cut_explains_is_refused(directory: Path) -> None:
    (path,) = keep(directory)
    lines = lines_of(path)
    for changed in (
        [*lines[:2], lines[2].replace(b"vm", b"VM"), *lines[3:]],
        [*lines[:2], *lines[3:]],
        [*lines, lines[-1]],
        [*lines, b"\0" * (1 << 21)],
        [*lines[:-1], lines[-1].replace(b"close", b"clone")],
        [line.replace(b'"kind"', b'"mind"') for line in lines],
    ):
        path.write_bytes(b"".join(changed))
        before = path.read_bytes()
        with pytest.raises(InternalError, match="no power cut does that"):
            open_journal(directory)
        assert path.read_bytes() == before
    path.write_bytes(b"".join(lines))
    open_journal(directory).close()


def test_a_first_file_that_is_emptied_is_refused(directory: Path) -> None:
    *_, last = files = keep(directory, 60, rotate_bytes=1 << 14)
    last.write_bytes(b"")
    files[-2].write_bytes(files[-2].read_bytes()[:-10])
    with pytest.raises(InternalError, match="does not follow"):
        open_journal(directory)


def test_folders_and_files_that_others_may_write_are_refused(directory: Path) -> None:
    (path,) = keep(directory)
    path.chmod(0o620)
    with pytest.raises(InvalidArgumentError, match=r"mode 0620.*chmod go-w"):
        open_journal(directory)
    path.chmod(0o600)
    directory.chmod(0o777)
    with pytest.raises(InvalidArgumentError, match="mode 0777"):
        open_journal(directory)
    directory.chmod(0o755)
    open_journal(directory).close()


def test_links_are_not_followed(directory: Path, tmp_path: Path) -> None:
    (path,) = keep(directory)
    elsewhere = path.rename(tmp_path / "elsewhere")
    path.symlink_to(elsewhere)
    with pytest.raises(UnavailableError, match="cannot be written: ELOOP"):
        open_journal(directory)
    path.unlink()
    path.hardlink_to(elsewhere)
    with pytest.raises(InvalidArgumentError, match="two names"):
        open_journal(directory)


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InvalidArgumentError, match="is no folder"):
        open_journal(tmp_path / "file")
    with pytest.raises(UnavailableError, match="ENOTDIR"):
        open_journal(tmp_path / "file" / "journal")


def test_a_file_that_is_removed_or_cut_leaves_its_mark(directory: Path) -> None:
    for harm in ("removed", "cut", "added"):
        own = directory / harm
        with open_journal(own) as journal:
            journal.record(DECISION)
            (path,) = listing(own)
            if harm == "removed":
                path.unlink()
            elif harm == "cut":
                path.write_bytes(lines_of(path)[0])
            else:
                with path.open("ab") as file:
                    file.write(lines_of(path)[0])
            journal.record(DECISION)
            journal.record(DECISION)
        assert "rotation" in kinds(own)
        assert problem(listing(own))[2] in ("journal.files", "journal.chain")


def test_a_record_that_somebody_else_appends_is_not_signed(directory: Path) -> None:
    """Its number and its hashes are right: they need no key."""
    issuer = TokenIssuer()
    with open_journal(directory, issuer) as journal:
        journal.record(DECISION)
        (path,) = listing(directory)
        last = lines_of(path)[-1]
        members = json.loads(last)
        prev = members["hash"]
        del members["prev"], members["hash"]
        line, _ = sealed(members | {"seq": members["seq"] + 1, "guest": "evil.wasm"}, prev)
        with path.open("ab") as file:
            file.write(line)
        journal.record(DECISION)
    found = check(listing(directory))
    assert found.problem is not None
    assert found.signed is None


def test_an_interrupted_call_is_taken_up(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C may come between the write and what is noted of it."""
    write = os.write

    def after(descriptor: int, data: bytes) -> int:
        write(descriptor, data)
        raise KeyboardInterrupt

    def amid(descriptor: int, data: bytes) -> int:
        write(descriptor, data[:-50])
        raise KeyboardInterrupt

    with open_journal(directory) as journal:
        for interrupted in (after, amid):
            with monkeypatch.context() as patch:
                patch.setattr(os, "write", interrupted)
                with pytest.raises(KeyboardInterrupt):
                    journal.record(DECISION)
            journal.record(DECISION)
    found = check(listing(directory))
    assert found.problem is None
    assert found.records["decision"] == 3
    assert found.cut > 0


@pytest.mark.parametrize(("policy", "case"), [("stop", "internal"), ("continue", "ok")])
def test_a_full_disk(tmp_path: Path, policy: str, case: str) -> None:
    """On a file system of 256 KiB, in a mount namespace of its own."""
    if os.geteuid() != 0:
        missing("a small file system needs root")
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = 'mount -t tmpfs -o size=256k,mode=700 none "$0" && "$@" && cp -r "$0" "$0/../kept"'
    command = [require("unshare"), "-m", "--propagation", "private", "sh", "-c", mounted, str(disk)]
    done = subprocess.run(
        [*command, *WRITING, str(disk / "journal"), "full", policy],
        capture_output=True,
        cwd=ROOT,
        env=environment(),
        check=True,
        timeout=60,
    )
    said = dict(line.split() for line in done.stdout.decode().splitlines())
    assert said["last"] == "ok"
    files = listing(tmp_path / "kept" / "journal")
    found = check(files)
    assert found.problem is None
    # What is left of a block takes a gap, and not the decision after it: there may be several.
    gaps = [record for record in records(files[0].parent) if record["kind"] == "gap"]
    assert sum(gap["lost"] for gap in gaps) == found.lost > 100
    assert {gap["cause"] for gap in gaps} == {"ENOSPC, No space left on device"}
    assert {gap["calls"] for gap in gaps} == {"refused" if policy == "stop" else "answered"}
    assert found.records["decision"] + found.lost == 203
    if case == "internal":
        assert int(said["internal"]) == found.lost
    else:
        assert "internal" not in said
    loud = done.stderr.decode()
    assert ("ARE ANSWERED WITHOUT A RECORD" in loud) == (policy == "continue")
    assert loud.count("\n") < 20


def test_checkpoints_come_by_the_clock(directory: Path) -> None:
    with open_journal(directory, checkpoint_seconds=1) as journal:
        journal.record(DECISION)
        deadline = time.monotonic() + 20
        while "checkpoint" not in kinds(directory) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert kinds(directory) == ["open", "decision", "checkpoint"]
    assert records(directory)[2]["reason"] == "seconds"


def test_checkpoints_come_by_number(directory: Path) -> None:
    keep(directory, 7, checkpoint_records=3)
    assert [kind[0] for kind in kinds(directory)] == list("odddcdddcdc")


def test_a_journal_without_a_key_says_so(directory: Path) -> None:
    with Journal(settings(directory), None) as journal:
        journal.record(DECISION)
    assert kinds(directory) == ["open", "decision"]
    found = check(listing(directory))
    assert (found.problem, found.signed) == (None, None)


@pytest.mark.parametrize("fsync", Fsync)
def test_what_is_forced_to_the_disk(
    directory: Path, fsync: Fsync, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    monkeypatch.setattr(os, "fdatasync", calls.append)
    with Journal(Settings(directory, fsync=fsync), TokenIssuer()) as journal:
        for _ in range(5):
            journal.record(DECISION)
        deadline = time.monotonic() + (20 if fsync is Fsync.INTERVAL else 0)
        while not calls and time.monotonic() < deadline:
            time.sleep(0.05)
        during = len(calls)
    expected = {Fsync.ALWAYS: range(5, 8), Fsync.INTERVAL: range(1, 5), Fsync.NEVER: range(1)}
    assert during in expected[fsync]
    assert (len(calls) > during) == (fsync is not Fsync.NEVER)


def test_a_disk_that_fails_stops_calls(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(descriptor: int) -> None:
        raise OSError(5, f"Input/output error ({descriptor})")

    for policy in OnFailure:
        own = Settings(directory / policy, fsync=Fsync.ALWAYS, on_failure=policy)
        with Journal(own, TokenIssuer()) as journal:
            with monkeypatch.context() as patch:
                patch.setattr(os, "fdatasync", broken)
                if policy is OnFailure.STOP:
                    with pytest.raises(InternalError, match="EIO"):
                        journal.record(DECISION)
                else:
                    journal.record(DECISION)
            journal.record(DECISION)
        assert check(listing(directory / policy)).lost == 1


def test_the_largest_decision_fits(directory: Path) -> None:
    wide = "\U0001f512" * 400
    decision = replace(DECISION, guest=wide, target=wide, audience=wide, service=wide, policy=wide)
    with open_journal(directory) as journal:
        journal.record(decision)
    assert max(map(len, lines_of(listing(directory)[0]))) < MAX_LINE
    assert check(listing(directory)).problem is None
