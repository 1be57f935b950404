"""How compiled guests are kept: the table `[cache.code]` of the host's configuration."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from wasmtime_attestation.policy.table import Table

MIB = 1 << 20
_LARGEST = 8192 * MIB


@dataclass(frozen=True, slots=True)
class Settings:
    """How compiled guests are kept.

    Attributes:
        directory: where they are on disk; None for this user's folder.
        size: how many bytes of them; 0 keeps none.
    """

    directory: Path | None = None
    size: int = 512 * MIB


_DEFAULT = Settings()


def read(table: Table) -> Settings:
    """Takes `[cache.code]`.

    Raises:
        SettingError: a setting makes no sense.
    """
    directory = table.optional_string(
        "directory", "Where compiled guests are kept; this user's folder without it."
    )
    if directory == "":
        raise table.refusal("directory", "directory is empty")
    size = table.integer("bytes", _DEFAULT.size, _LARGEST, "Bytes of them; 0 keeps none.")
    table.end()
    return Settings(None if directory is None else Path(directory), size)
