"""Where a service is: an https address that everything else is asked below of."""

from __future__ import annotations

from urllib.parse import urlsplit

from wasmtime_attestation.policy.table import Table

MOST_SECONDS = 300
SECONDS = 30


def checked(url: str) -> str:
    """Returns an address without a slash at its end.

    Raises:
        ValueError: it is not https, has no host, or has more than a host, a port and a path.
    """
    parts = urlsplit(url)
    if parts.scheme != "https":
        raise ValueError("it is no https address")
    # `port` raises ValueError for what is no port.
    if not parts.hostname or parts.port == 0:
        raise ValueError("it has no host, or a port that is none")
    if parts.username is not None or parts.password is not None:
        raise ValueError("it has a name or a password")
    if parts.query or parts.fragment or "?" in url or "#" in url:
        raise ValueError("it has a query or a fragment")
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise ValueError("it has blanks, or characters that are not ASCII")
    return url.rstrip("/")


def read(table: Table, key: str, about: str) -> str | None:
    """Takes an address; None where it is absent.

    Raises:
        SettingError: it is none that can be used.
    """
    url = table.optional_string(key, about)
    if url is None:
        return None
    try:
        return checked(url)
    except ValueError as error:
        raise table.refusal(key, f"services' {key}: {error}") from error


def read_seconds(table: Table) -> int:
    """Takes how long one question to a service may take.

    Raises:
        SettingError: it is not 1 to `MOST_SECONDS`.
    """
    about = "Seconds that one question may take, with everything that is asked again."
    seconds = table.integer("timeout", SECONDS, MOST_SECONDS, about)
    if seconds == 0:
        raise table.refusal("timeout", f"timeout is from 1 to {MOST_SECONDS} seconds")
    return seconds
