"""The few commands that are asked of a Redis server, each within bounds (extra `redis`).

A command is sent once: one whose answer was lost may have been done, and is not repeated.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from wasmtime_attestation.errors import InvalidArgumentError, UnavailableError, UnsupportedError

if TYPE_CHECKING:
    import redis

SECONDS = 5.0
"""For each step: connecting, sending, an answer."""
PASSWORD = "WASMTIME_ATTESTATION_REDIS_PASSWORD"  # noqa: S105
"""The environment variable with the password, if the server wants one."""
USER = "WASMTIME_ATTESTATION_REDIS_USER"
ADDRESS = r"rediss?://[^\s@?#/]{1,200}(/[0-9]{1,4})?|unix://[^\s@?#]{1,200}"
"""What an address is: nothing secret, and no option that would weaken TLS."""
NO_ADDRESS = (
    "a Redis server is named as redis://HOST:PORT/DB, rediss://HOST:PORT/DB or unix://PATH; "
    f"user and password are in {USER} and {PASSWORD}"
)


def is_address(text: str) -> bool:
    """Whether a text is the address of a Redis server, rather than the name of a file."""
    return text.startswith(("redis://", "rediss://", "unix://"))


class RedisServer:
    """A Redis server; threads may share one.

    Args:
        url: redis://HOST:PORT/DB, rediss:// for TLS, or unix://PATH; nothing secret is in it, and
            no option that would weaken TLS.

    Raises:
        InvalidArgumentError: it is no such address.
        UnsupportedError: the extra is not installed.
    """

    def __init__(self, url: str) -> None:
        if not re.fullmatch(ADDRESS, url):
            raise InvalidArgumentError(NO_ADDRESS)
        self._url = url
        self._client = self._connect()

    def __str__(self) -> str:
        return self._url

    def add(self, key: bytes, seconds: int) -> bool:
        """Adds a key for a time; returns False, and changes nothing, where it is there."""
        with self._explaining():
            return bool(self._client.set(key, b"", nx=True, px=seconds * 1000))

    def get(self, key: bytes, limit: int) -> bytes | None:
        """Returns a value, or None where there is none, or one larger than `limit` bytes."""
        with self._explaining():
            data = self._client.getrange(key, 0, limit)
        return data if isinstance(data, bytes) and 0 < len(data) <= limit else None

    def put(self, key: bytes, data: bytes, seconds: int) -> None:
        """Sets a value for a time."""
        with self._explaining():
            self._client.set(key, data, ex=seconds)

    def remove(self, key: bytes) -> None:
        """Removes a key."""
        with self._explaining():
            self._client.delete(key)

    def memory_policy(self) -> tuple[int, str]:
        """Returns how much memory the server may use (0: any), and what it does beyond that."""
        with self._explaining():
            said = self._client.info("memory")
        match said:
            case {"maxmemory": int(limit), "maxmemory_policy": str(policy)}:
                return limit, policy
            case _:
                raise UnavailableError(f"{self} does not say what it does when its memory is full")

    def close(self) -> None:
        """Closes its connections."""
        self._client.close()

    def _connect(self) -> redis.Redis:
        try:
            import redis
            from redis.backoff import NoBackoff
            from redis.retry import Retry
        except ImportError as error:
            raise UnsupportedError(
                "Redis needs a library: pip install 'wasmtime-attestation[redis]'"
            ) from error
        return redis.Redis.from_url(
            self._url,
            username=os.environ.get(USER) or None,
            password=os.environ.get(PASSWORD) or None,
            socket_timeout=SECONDS,
            socket_connect_timeout=SECONDS,
            retry=Retry(NoBackoff(), 0),
        )

    @contextlib.contextmanager
    def _explaining(self) -> Iterator[None]:
        import redis

        try:
            yield
        except (redis.RedisError, OSError) as error:
            said = str(error)[:200].encode("ascii", "backslashreplace").decode()
            raise UnavailableError(
                f"{self} cannot be used: {said or type(error).__name__}"
            ) from error
