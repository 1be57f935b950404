"""`cache ls|show|verify|clear`: what is there, whether it is whole, and that it can be removed."""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from wasmtime_attestation.cache import token_entry
from wasmtime_attestation.cache.disk import DiskTokens, default_directory
from wasmtime_attestation.cache.machine_identity import boot_of_machine
from wasmtime_attestation.endorsers.cache_folder import default_folder
from wasmtime_attestation.endorsers.disk_cache import DiskCache, Entry
from wasmtime_attestation.endorsers.question import Reply

from tests.cache.disks import FIRST, SECOND, disk
from tests.cache.keys import GUEST, SERVED, kept
from tests.cli.tool import run, run_process
from tests.endorsers.questions import question
from tests.tools import missing

TEXT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ0b2tlbiJ9.c2lnbmF0dXJl"
NOW = int(time.time())
QUESTION = question("https://kds.example/crl")


@pytest.fixture
def tokens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of tokens: a good one, an old one, and one of another boot; and an endorsement."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    boot, folder, answers = boot_of_machine(), default_directory(), default_folder()
    if boot is None:
        missing("this system does not say which boot it is")
    assert folder is not None
    assert answers is not None
    own = DiskTokens(folder, boot, 10, 1 << 20)
    own.write(FIRST, kept(TEXT, NOW - 10, NOW + 1_000_000))
    own.write(SERVED, kept(TEXT, NOW - 1000, NOW - 700))
    disk(folder).write(SECOND, kept(TEXT, NOW, NOW + 1_000_000))
    DiskCache(answers).write(QUESTION, Entry(datetime.fromtimestamp(NOW, UTC), Reply(b"body")))
    return folder


def test_ls(tokens: Path) -> None:
    outcome = run("cache", "ls")
    assert outcome.code == 0
    assert len(outcome.out.splitlines()) == 4
    assert "maa of GPU-1, https://maa.example" in outcome.out
    assert "https://kds.example/crl" in outcome.out
    entries = json.loads(run("cache", "ls", "--json").out)["entries"]
    states = {entry["name"]: entry["state"] for entry in entries}
    assert states == {
        token_entry.name_of(FIRST): "good",
        token_entry.name_of(SERVED): "expired",
        token_entry.name_of(SECOND): "of another boot or machine",
        QUESTION.key: "good",
    }
    assert run("cache", "ls", "--only", "endorsements").out.count("\n") == 1
    elsewhere = run("cache", "ls", "--only", "tokens", "--directory", tokens.with_name("none"))
    assert (elsewhere.code, elsewhere.out) == (0, "")


def test_show(tokens: Path) -> None:
    name = token_entry.name_of(FIRST)
    outcome = run("cache", "show", name)
    assert outcome.code == 0
    assert f"guest:         {GUEST.hex()}" in outcome.out
    (entry,) = json.loads(run("cache", "show", name, "--json").out)["entries"]
    assert (entry["target"], entry["expires"]) == ("GPU-1", NOW + 1_000_000)
    assert run("cache", "show", "nonesuch").code == 2
    assert run("cache", "show", "").code == 2
    assert tokens.exists()


@pytest.mark.usefixtures("tokens")
def test_no_token_is_printed() -> None:
    name = token_entry.name_of(FIRST)
    for arguments in (("ls",), ("show", name), ("verify",)):
        for form in ((), ("--json",)):
            outcome = run("cache", *arguments, *form, "--verbose")
            assert not any(part in outcome.out + outcome.err for part in TEXT.split("."))


def test_verify(tokens: Path) -> None:
    assert run("cache", "verify").out == "4 entries, 0 damaged\n"
    file = tokens / token_entry.name_of(FIRST)
    data = file.read_bytes()
    file.write_bytes(data[:-1])
    outcome = run("cache", "verify")
    assert outcome.code == 4
    assert "damaged: it is not what was written" in outcome.out
    file.write_bytes(data)
    file.rename(tokens / "other")
    report = json.loads(run("cache", "verify", "--json").out)
    assert [entry["name"] for entry in report["damaged"]] == ["other"]
    (tokens / "other").unlink()
    os.mkfifo(tokens / "pipe", 0o600)
    assert run("cache", "verify").code == 4


def test_verify_finds_every_flip_of_an_endorsement(tokens: Path) -> None:
    answers = default_folder()
    assert answers is not None
    file = answers / QUESTION.key
    data = file.read_bytes()
    for index in range(0, len(data), 7):
        file.write_bytes(data[:index] + bytes([data[index] ^ 1]) + data[index + 1 :])
        assert run("cache", "verify", "--only", "endorsements").code == 4, index
    assert tokens.exists()


def test_clear(tokens: Path) -> None:
    outcome = run("cache", "clear", "--only", "tokens")
    assert (outcome.code, outcome.out) == (0, "3 tokens removed\n")
    assert list(tokens.iterdir()) == []
    removed = json.loads(run("cache", "clear", "--json").out)
    assert removed == {"removed": {"tokens": 0, "endorsements": 1, "code": 0}, "left": 0}
    assert run("cache", "ls").out == ""


def test_what_cannot_be_removed_is_said(tokens: Path) -> None:
    (tokens / "folder").mkdir()
    outcome = run("cache", "clear")
    assert outcome.code == 6
    assert "1 entries could not be removed" in outcome.err


def test_a_folder_that_others_can_read(tokens: Path) -> None:
    tokens.chmod(0o755)
    for arguments in ("ls", "verify", "clear"):
        outcome = run("cache", arguments)
        assert outcome.code == 6
        assert "can be read by others: no tokens are kept there; chmod 700 it" in outcome.err


@pytest.mark.usefixtures("tokens")
def test_as_a_process_of_its_own() -> None:
    assert run_process("cache", "verify").out == "4 entries, 0 damaged\n"
