"""How tokens, and compiled guests, are kept: the table `[cache]` of the host's configuration."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from wasmtime_attestation.cache import code_settings
from wasmtime_attestation.cache.redis_server import ADDRESS, NO_ADDRESS
from wasmtime_attestation.errors import InvalidArgumentError
from wasmtime_attestation.nonces import place
from wasmtime_attestation.policy.table import SettingError, Table

MIB = 1 << 20
_HOUR = 3600


@dataclass(frozen=True, slots=True)
class Settings:
    """How tokens are kept.

    Attributes:
        margin: seconds before its expiry from which a token is no longer handed out.
        max_age: seconds after which evidence is collected anew, whatever the token says.
        entries: how many tokens are kept in memory; 0 keeps none.
        size: how many bytes of them.
        wait_seconds: how long a call waits for another one that collects the same.
        unsupported_seconds: how long "there is no such thing" is believed; 0 not at all.
        directory: where services' tokens are kept on disk; None to keep none there.
        disk_entries: how many are kept on disk.
        disk_size: how many bytes of them.
        redis: the address of a Redis server for endorsements; None for none.
        nonce_record: where nonces that were used are recorded (`nonces.place`); None for nowhere.
        code: how compiled guests are kept.
    """

    margin: int = 30
    max_age: int = _HOUR
    entries: int = 1024
    size: int = 64 * MIB
    wait_seconds: int = 120
    unsupported_seconds: int = 2
    directory: Path | None = None
    disk_entries: int = 1024
    disk_size: int = 64 * MIB
    redis: str | None = None
    nonce_record: str | None = None
    code: code_settings.Settings = field(default_factory=code_settings.Settings)


_DEFAULT = Settings()


def read(table: Table) -> Settings:
    """Takes `[cache]`.

    Raises:
        SettingError: a setting makes no sense.
    """
    directory = table.optional_string(
        "directory", "Where services' tokens are kept on disk; none are without it."
    )
    if directory == "":
        raise table.refusal("directory", "directory is empty")
    settings = Settings(
        margin=table.integer(
            "margin-seconds", _DEFAULT.margin, _HOUR, "Before expiry, from when a token is too old."
        ),
        max_age=table.integer(
            "max-age-seconds",
            _DEFAULT.max_age,
            86_400,
            "After how long evidence is collected anew, whatever the token says.",
        ),
        entries=table.integer(
            "entries", _DEFAULT.entries, 1_000_000, "Tokens in memory; 0 keeps none."
        ),
        size=table.integer("bytes", _DEFAULT.size, 4096 * MIB, "Bytes of them."),
        wait_seconds=_positive(
            table, "wait-seconds", _DEFAULT.wait_seconds, "How long calls wait for the same one."
        ),
        unsupported_seconds=table.integer(
            "unsupported-seconds",
            _DEFAULT.unsupported_seconds,
            60,
            "How long the answer that there is no such thing is believed.",
        ),
        directory=None if directory is None else Path(directory),
        disk_entries=table.integer(
            "disk-entries", _DEFAULT.disk_entries, 100_000, "Tokens on disk."
        ),
        disk_size=table.integer("disk-bytes", _DEFAULT.disk_size, 4096 * MIB, "Bytes of them."),
        redis=_redis(table),
        code=code_settings.read(table.table("code", "How compiled guests are kept.")),
    )
    settings = replace(settings, nonce_record=_nonce_record(table, settings.redis))
    table.end()
    return settings


def _redis(table: Table) -> str | None:
    about = "A Redis server that shares endorsements; without user and password in it."
    try:
        return table.formed("redis", ADDRESS, about)
    except SettingError:
        # A password may be in it, where none belongs: nobody shall read it in a log.
        raise table.refusal("redis", NO_ADDRESS) from None


def _nonce_record(table: Table, shared: str | None) -> str | None:
    about = "Where nonces that were used are recorded: a file, an address, redis, or none."
    where = table.optional_string("nonce-record", about)
    if where == "":
        raise table.refusal("nonce-record", "nonce-record is empty")
    try:
        if where is not None:
            place.check(where, shared)
    except InvalidArgumentError as error:
        raise table.refusal("nonce-record", error.message) from error
    return where


def _positive(table: Table, key: str, default: int, about: str) -> int:
    value = table.integer(key, default, _HOUR, about)
    if value == 0:
        raise table.refusal(key, f"{key} must be at least 1")
    return value
