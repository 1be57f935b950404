"""How a journal is kept: the table `[journal]` of the host's configuration."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from wasmtime_attestation.policy.table import Table

MIB = 1 << 20
MAX_UNSIGNED = 100_000
"""Decisions between two signatures."""
MIN_ROTATION = 1 << 14
"""Bytes of a file at least: it begins and ends with records that say nothing of guests."""


class Fsync(StrEnum):
    """When written records are forced to the disk."""

    ALWAYS = "always"
    """Before the call is answered."""
    INTERVAL = "interval"
    """Every `fsync-seconds`."""
    NEVER = "never"
    """When the system likes to."""


class OnFailure(StrEnum):
    """What happens to calls while nothing can be written."""

    STOP = "stop"
    """They fail."""
    CONTINUE = "continue"
    """They are answered, and a record says later how many are missing."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How a journal is kept.

    Attributes:
        directory: where its files are; None to keep none.
        fsync: when records are forced to the disk.
        fsync_seconds: how often, where that is at intervals.
        on_failure: what happens while nothing can be written.
        rotate_bytes: how large a file grows until another begins.
        rotate_seconds: how long a file is written to; 0 for any time.
        keep_files: how many files are kept; 0 for all.
        checkpoint_records: after how many records there is a signature.
        checkpoint_seconds: after how many seconds a record is signed at the latest.
    """

    directory: Path | None = None
    fsync: Fsync = Fsync.INTERVAL
    fsync_seconds: int = 1
    on_failure: OnFailure = OnFailure.STOP
    rotate_bytes: int = 16 * MIB
    rotate_seconds: int = 86_400
    keep_files: int = 0
    checkpoint_records: int = 1000
    checkpoint_seconds: int = 60


_DEFAULT = Settings()


def read(table: Table) -> Settings:
    """Reads the table.

    Raises:
        ValueError: a setting is unknown, not of its kind, or makes no sense.
    """
    directory = table.optional_string("directory", "Where the files are; none are kept without it.")
    if directory == "":
        raise table.refusal("directory", "directory is empty")
    settings = Settings(
        directory=None if directory is None else Path(directory),
        fsync=Fsync(
            table.choice("fsync", Fsync, "When records are forced to the disk.", _DEFAULT.fsync)
            or _DEFAULT.fsync
        ),
        fsync_seconds=_positive(table, "fsync-seconds", _DEFAULT.fsync_seconds, 3600, "How often."),
        on_failure=OnFailure(
            table.choice(
                "on-failure",
                OnFailure,
                "What happens while nothing can be written.",
                _DEFAULT.on_failure,
            )
            or _DEFAULT.on_failure
        ),
        rotate_bytes=_rotation(table),
        rotate_seconds=table.integer(
            "rotate-seconds",
            _DEFAULT.rotate_seconds,
            about="How long one file is used; 0: any.",
        ),
        keep_files=table.integer(
            "keep-files", _DEFAULT.keep_files, 1_000_000, "How many files are kept; 0: all."
        ),
        checkpoint_records=_positive(
            table,
            "checkpoint-records",
            _DEFAULT.checkpoint_records,
            MAX_UNSIGNED,
            "After how many records there is a signature.",
        ),
        checkpoint_seconds=_positive(
            table,
            "checkpoint-seconds",
            _DEFAULT.checkpoint_seconds,
            86_400,
            "After how many seconds a record is signed at the latest.",
        ),
    )
    table.end()
    return settings


def _positive(table: Table, key: str, default: int, largest: int, about: str) -> int:
    value = table.integer(key, default, largest, about)
    if value == 0:
        raise table.refusal(key, f"{key} must be at least 1")
    return value


def _rotation(table: Table) -> int:
    value = table.integer(
        "rotate-bytes", _DEFAULT.rotate_bytes, 1024 * MIB, "How large a file grows."
    )
    if value < MIN_ROTATION:
        raise table.refusal("rotate-bytes", f"rotate-bytes must be at least {MIN_ROTATION}")
    return value
