"""Where a record of nonces is: a file, a Redis server by its address, or the configured one."""

from __future__ import annotations

import re
from pathlib import Path

from wasmtime_attestation.cache.redis_server import ADDRESS, NO_ADDRESS, RedisServer, is_address
from wasmtime_attestation.errors import InvalidArgumentError
from wasmtime_attestation.nonces import NonceRecord

NOWHERE = "none"
SHARED = "redis"
"""The server of `redis` in `[cache]`."""


def absolute(where: str, folder: Path) -> str:
    """Returns a place with a path that holds wherever one is.

    Args:
        where: a file, an address, `SHARED` or `NOWHERE`.
        folder: that the file is relative to.
    """
    is_word = where in (NOWHERE, SHARED)
    return where if is_word or is_address(where) else str((folder / where).absolute())


def check(where: str, shared: str | None) -> None:
    """Refuses what is no place.

    Args:
        where: a file, an address, `SHARED` or `NOWHERE`.
        shared: the address of the configured server, if any.

    Raises:
        InvalidArgumentError: it is none; nothing that may be a password is in the message.
    """
    if is_address(where) and not re.fullmatch(ADDRESS, where):
        raise InvalidArgumentError(NO_ADDRESS)
    if where == SHARED and shared is None:
        raise InvalidArgumentError(
            "nonces are to be recorded on the server of [cache] redis, and none is configured"
        )


def record(where: str | None, shared: str | None) -> NonceRecord | None:
    """Returns the record, which is opened when a nonce is used.

    Args:
        where: a file, an address, `SHARED`, or `NOWHERE` or None for none.
        shared: the address of the configured server, if any.

    Returns:
        the record; None where nonces are not recorded.

    Raises:
        InvalidArgumentError: it is no place.
        UnsupportedError: it is on Redis, and the extra is not installed.
    """
    if where is None or where == NOWHERE:
        return None
    check(where, shared)
    address = shared if where == SHARED else where
    if address is not None and is_address(address):
        from wasmtime_attestation.nonces.redis import RedisNonces  # most records are files

        return RedisNonces(RedisServer(address))
    from wasmtime_attestation.nonces.file import FileNonces

    return FileNonces(Path(where))
