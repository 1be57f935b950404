"""The table `[journal]`."""

from __future__ import annotations

import re
import tomllib
from dataclasses import fields, replace
from pathlib import Path

import pytest
from wasmtime_attestation.journal.settings import Fsync, OnFailure, Settings, read
from wasmtime_attestation.policy.table import SettingError, Table


def of(text: str) -> Settings:
    return read(Table(tomllib.loads(text), ("journal",)))


def test_nothing_is_kept_unless_a_folder_is_named() -> None:
    settings = of("")
    assert settings == Settings()
    assert settings.directory is None
    assert (settings.fsync, settings.on_failure) == (Fsync.INTERVAL, OnFailure.STOP)
    assert (settings.checkpoint_records, settings.checkpoint_seconds) == (1000, 60)
    assert settings.keep_files == 0


def test_the_documentation_shows_the_defaults() -> None:
    text = (Path(__file__).parents[2] / "docs" / "journal.md").read_text()
    (block,) = re.findall(r"```toml\n\[journal\]\n(.*?)```", text, re.DOTALL)
    shown = of(block)
    assert shown == replace(Settings(), directory=shown.directory)
    assert block.count(" = ") == len(fields(Settings))


def test_every_setting() -> None:
    text = """
    directory = "/var/lib/attestation/journal"
    fsync = "always"
    fsync-seconds = 5
    on-failure = "continue"
    rotate-bytes = 1048576
    rotate-seconds = 3600
    keep-files = 30
    checkpoint-records = 100
    checkpoint-seconds = 10
    """
    assert of(text) == Settings(
        Path("/var/lib/attestation/journal"),
        Fsync.ALWAYS,
        5,
        OnFailure.CONTINUE,
        1 << 20,
        3600,
        30,
        100,
        10,
    )


@pytest.mark.parametrize(
    ("text", "key", "problem"),
    [
        ('directory = ""', "directory", "is empty"),
        ("directory = 1", "directory", "a string"),
        ('fsync = "sometimes"', "fsync", "known are always, interval, never"),
        ("fsync-seconds = 0", "fsync-seconds", "at least 1"),
        ('on-failure = "ignore"', "on-failure", "known are stop, continue"),
        ("rotate-bytes = 16383", "rotate-bytes", "at least 16384"),
        ("rotate-bytes = 2000000000", "rotate-bytes", "from 0 to"),
        ("checkpoint-records = 0", "checkpoint-records", "at least 1"),
        ("checkpoint-records = 1000000", "checkpoint-records", "from 0 to 100000"),
        ("checkpoint-seconds = 0", "checkpoint-seconds", "at least 1"),
        ("keep-files = -1", "keep-files", "from 0 to"),
        ("keep_files = 1", "keep_files", "did you mean keep-files"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_name(text: str, key: str, problem: str) -> None:
    with pytest.raises(SettingError, match=problem) as caught:
        of(text)
    assert caught.value.key == ("journal", key)
