"""The cache on disk: whole entries or none, whatever befalls the folder, the disk or a process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from wasmtime_attestation.endorsers import disk_cache
from wasmtime_attestation.endorsers.cache_folder import default_folder
from wasmtime_attestation.endorsers.disk_cache import DiskCache, Entry
from wasmtime_attestation.endorsers.question import Reply

from tests.endorsers.questions import question
from tests.fakes.amd import AT
from tests.tools import missing

QUESTION = question()
ENTRY = Entry(AT, Reply(b"\x00body\n\xff", {"x-issuer": "chain"}))
NOBODY = 65534

WRITER = """
import sys
from pathlib import Path
from wasmtime_attestation.endorsers.disk_cache import DiskCache, Entry
from wasmtime_attestation.endorsers.question import Reply
from tests.endorsers.questions import question
from tests.fakes.amd import AT
cache = DiskCache(Path(sys.argv[1]))
print("ready", flush=True)
for number in range(int(sys.argv[2])):
    body = bytes([number % 256]) * 200_000
    cache.write(question(f"https://kds.example/{number % 4}"), Entry(AT, Reply(body)))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "cache"


@pytest.fixture
def cache(folder: Path) -> DiskCache:
    return DiskCache(folder)


def test_what_is_written_is_read(cache: DiskCache, folder: Path) -> None:
    assert cache.read(QUESTION) is None
    assert not folder.exists()
    cache.write(QUESTION, ENTRY)
    assert DiskCache(folder).read(QUESTION) == ENTRY
    assert folder.stat().st_mode & 0o777 == 0o700
    (file,) = folder.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert b"secret" not in file.read_bytes()


def test_none_is_an_answer(cache: DiskCache) -> None:
    cache.write(QUESTION, Entry(AT, None))
    assert cache.read(QUESTION) == Entry(AT, None)


def test_each_question_has_its_own(cache: DiskCache) -> None:
    cache.write(QUESTION, ENTRY)
    assert cache.read(question("https://kds.example/crl?x")) is None
    assert cache.read(question(body=b"")) is None
    assert cache.read(question(body=b"1")) is None


def test_a_later_answer_replaces(cache: DiskCache, folder: Path) -> None:
    cache.write(QUESTION, ENTRY)
    later = Entry(AT + timedelta(days=1), Reply(b"new"))
    cache.write(QUESTION, later)
    assert cache.read(QUESTION) == later
    assert len(list(folder.iterdir())) == 1


def test_every_flip_is_noticed(cache: DiskCache, folder: Path) -> None:
    cache.write(QUESTION, ENTRY)
    (file,) = folder.iterdir()
    whole = file.read_bytes()
    for index in range(len(whole)):
        file.write_bytes(whole[:index] + bytes([whole[index] ^ 1]) + whole[index + 1 :])
        assert cache.read(QUESTION) is None, index
        assert not file.exists()
    cache.write(QUESTION, ENTRY)
    assert cache.read(QUESTION) == ENTRY


def test_every_cut_is_noticed(cache: DiskCache, folder: Path) -> None:
    cache.write(QUESTION, ENTRY)
    (file,) = folder.iterdir()
    whole = file.read_bytes()
    for size in range(len(whole)):
        file.write_bytes(whole[:size])
        assert cache.read(QUESTION) is None, size
    file.write_bytes(whole + b"\n")
    assert cache.read(QUESTION) is None


def test_an_entry_under_anothers_name(cache: DiskCache, folder: Path) -> None:
    cache.write(QUESTION, ENTRY)
    (file,) = folder.iterdir()
    other = question("https://kds.example/other")
    file.rename(folder / other.key)
    assert cache.read(other) is None


def test_an_entry_that_is_too_large(cache: DiskCache, folder: Path) -> None:
    cache.write(QUESTION, ENTRY)
    (file,) = folder.iterdir()
    with file.open("r+b") as opened:
        opened.truncate(1 << 30)
    assert cache.read(QUESTION) is None


@pytest.mark.parametrize("kind", ["link", "dangling", "fifo", "folder"])
def test_an_entry_that_is_no_file(
    kind: str, cache: DiskCache, folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache.write(QUESTION, ENTRY)
    (file,) = folder.iterdir()
    target = tmp_path / "target"
    file.rename(target)
    match kind:
        case "link":
            file.symlink_to(target)
        case "dangling":
            file.symlink_to(tmp_path / "nowhere")
        case "fifo":
            os.mkfifo(file)
        case _:
            file.mkdir()
    assert cache.read(QUESTION) is None
    cache.write(QUESTION, ENTRY)
    if kind == "folder":
        assert "answers are not kept" in caplog.text
    else:
        assert cache.read(QUESTION) == ENTRY
    assert not (tmp_path / "nowhere").exists()


def as_root() -> None:
    if os.geteuid() != 0:
        missing("only root gives files away")


def test_an_entry_of_somebody_else(cache: DiskCache, folder: Path) -> None:
    as_root()
    cache.write(QUESTION, ENTRY)
    (file,) = folder.iterdir()
    os.chown(file, NOBODY, NOBODY)
    assert cache.read(QUESTION) is None


def test_a_folder_of_somebody_else(
    cache: DiskCache, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    as_root()
    cache.write(QUESTION, ENTRY)
    os.chown(folder, NOBODY, NOBODY)
    assert cache.read(QUESTION) is None
    cache.write(QUESTION, ENTRY)
    assert caplog.text.count(f"belongs to user {NOBODY}, not to you") == 1
    os.chown(folder, 0, 0)
    assert cache.read(QUESTION) == ENTRY


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
def test_a_folder_that_others_can_write(
    mode: int, cache: DiskCache, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache.write(QUESTION, ENTRY)
    folder.chmod(mode)
    assert cache.read(QUESTION) is None
    assert "can be written by others: nothing is kept there; chmod 700 it" in caplog.text


def test_a_folder_that_is_a_link(
    cache: DiskCache, folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder.parent.mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    folder.symlink_to(tmp_path / "elsewhere")
    cache.write(QUESTION, ENTRY)
    assert cache.read(QUESTION) is None
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert "cannot be used" in caplog.text


def test_a_file_in_place_of_the_folder(
    cache: DiskCache, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder.parent.mkdir(parents=True)
    folder.write_bytes(b"")
    cache.write(QUESTION, ENTRY)
    assert cache.read(QUESTION) is None
    assert "cannot be used" in caplog.text


def test_the_oldest_go_first(
    cache: DiskCache, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk_cache, "MAX_ENTRIES", 3)
    questions = [question(f"https://kds.example/{number}") for number in range(5)]
    for age, each in enumerate(reversed(questions)):
        cache.write(each, ENTRY)
        os.utime(folder / each.key, (1e9 + age, 1e9 + age))
    cache.write(QUESTION, ENTRY)
    assert [cache.read(each) is not None for each in questions] == [True, True, *[False] * 3]
    assert cache.read(QUESTION) == ENTRY


def test_the_size_is_limited(cache: DiskCache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk_cache, "MAX_BYTES", 3000)
    entry = replace(ENTRY, reply=Reply(b"x" * 1000))
    for number in range(5):
        cache.write(question(f"https://kds.example/{number}"), entry)
    kept = [cache.read(question(f"https://kds.example/{n}")) is not None for n in range(5)]
    assert sum(kept) == 2


def test_a_writer_that_is_killed(cache: DiskCache, folder: Path) -> None:
    questions = [question(f"https://kds.example/{number}") for number in range(4)]
    for seconds in (0.05, 0.08, 0.11, 0.17):
        with writer(folder, 100_000) as process:
            time.sleep(seconds)
            process.send_signal(signal.SIGKILL)
        for each in questions:
            check_whole(cache, each)
    for left in folder.glob(".tmp-*"):
        os.utime(left, (1e9, 1e9))
    cache.write(QUESTION, ENTRY)
    assert list(folder.glob(".tmp-*")) == []
    assert cache.read(QUESTION) == ENTRY


def test_two_writers_and_a_reader(cache: DiskCache, folder: Path) -> None:
    with writer(folder, 60) as first, writer(folder, 60) as second:
        while first.poll() is None or second.poll() is None:
            for number in range(4):
                check_whole(cache, question(f"https://kds.example/{number}"))
    assert (first.returncode, second.returncode) == (0, 0)
    assert all(cache.read(question(f"https://kds.example/{n}")) for n in range(4))


def writer(folder: Path, count: int) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, folder, str(count)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, sys.path))},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


def check_whole(cache: DiskCache, asked: object) -> None:
    entry = cache.read(asked)  # type: ignore[arg-type]
    if entry is not None:
        assert entry.reply is not None
        assert len(entry.reply.body) == 200_000
        assert len(set(entry.reply.body)) == 1


def test_where_the_folder_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/x")
    assert default_folder() == Path("/var/x/wasmtime-attestation")
    # XDG Base Directory Specification: a relative path is ignored.
    monkeypatch.setenv("XDG_CACHE_HOME", "x")
    assert default_folder() == Path("/home/someone/.cache/wasmtime-attestation")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert default_folder() == Path("/home/someone/.cache/wasmtime-attestation")
