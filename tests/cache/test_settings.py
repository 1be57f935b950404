"""`[cache]`: every setting has its place, and what makes no sense is refused by name."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from wasmtime_attestation.cache.machine_identity import boot_of_machine
from wasmtime_attestation.cache.settings import Settings, read
from wasmtime_attestation.cache.tokens import TokenCache
from wasmtime_attestation.policy.table import SettingError, Table

from tests.cache.keys import ISSUED, SERVED, kept

DOCUMENT = Path(__file__).parents[2] / "docs" / "caches.md"


def settings(text: str) -> Settings:
    return read(Table(tomllib.loads(text)))


def test_without_any_the_defaults_hold() -> None:
    assert settings("") == Settings()


def test_the_documentation_has_every_setting() -> None:
    text = DOCUMENT.read_text().partition("```toml\n")[2].partition("```")[0]
    table = Table(tomllib.loads(text)["cache"])
    assert read(table) == Settings(
        directory=Path("/var/cache/wasmtime-attestation"),
        redis="rediss://cache.example:6379/0",
        nonce_record="redis",
    )
    assert {setting.key for setting in table.settings} == set(tomllib.loads(text)["cache"])


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('directory = ""', "directory"),
        ("wait-seconds = 0", "wait-seconds"),
        ("margin-seconds = 3601", "margin-seconds"),
        ("unsupported-seconds = 61", "unsupported-seconds"),
        ("entries = true", "entries"),
        ('redis = "redis://user:password@host"', "redis"),
        ('redis = "rediss://host?ssl_cert_reqs=none"', "redis"),
        ('redis = "http://host"', "redis"),
        ("entires = 1", "entires"),
    ],
)
def test_what_makes_no_sense_is_refused(text: str, key: str) -> None:
    with pytest.raises(SettingError) as caught:
        settings(text)
    assert caught.value.key == (key,)


def test_the_cache_that_is_configured(tmp_path: Path) -> None:
    folder = tmp_path / "tokens"
    cache = TokenCache.of(Settings(directory=folder), lambda: ISSUED, lambda _: True)
    assert cache.token(SERVED, kept) == kept().result
    assert folder.exists() is (boot_of_machine() is not None)
    TokenCache.of(Settings(), lambda: ISSUED, lambda _: True).token(SERVED, kept)
