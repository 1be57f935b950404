"""A record in a file (SQLite), for the processes of one machine; it outlives them."""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from wasmtime_attestation.errors import InvalidArgumentError, UnavailableError
from wasmtime_attestation.nonces import digest, seconds_left

WAIT = 10.0
"""Seconds to wait for other processes."""
_GRACE = 86_400
"""Seconds for which a nonce is remembered longer: a clock that ran ahead must not forget it."""
_TABLE = (
    "CREATE TABLE IF NOT EXISTS nonces (digest BLOB PRIMARY KEY, until INTEGER NOT NULL) "
    "WITHOUT ROWID"
)
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_ROOT = 0


class FileNonces:
    """Nonces that processes of this machine used; not for network file systems.

    Args:
        path: the file; it is made, private to its user, if need be, in a folder in which nobody
            else can make files: SQLite undoes what a journal beside the file tells it to.
        clock: the time, in seconds since the Unix epoch.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock

    def use(self, nonce: bytes, until: int) -> bool:
        """Uses a nonce; see `NonceRecord.use`."""
        now = self._clock()
        end = int(now) + seconds_left(until, now) + _GRACE
        try:
            self._prepare()
            with closing(self._connect()) as connection, connection:
                # Immediately: two that read before either writes would both be first.
                connection.execute("BEGIN IMMEDIATE")
                connection.execute(_TABLE)
                connection.execute("DELETE FROM nonces WHERE until < ?", (int(now),))
                added = connection.execute(
                    "INSERT INTO nonces VALUES (?, ?) ON CONFLICT DO NOTHING", (digest(nonce), end)
                )
                return added.rowcount == 1
        except (OSError, sqlite3.Error) as error:
            raise UnavailableError(
                f"the record of nonces {self._path} cannot be used: {error}; without it nothing "
                "is accepted"
            ) from error

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=WAIT, isolation_level=None)
        # What was accepted must be remembered also when the power fails.
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    def _prepare(self) -> None:
        """Makes the file before SQLite would, which makes it as others may read and write it."""
        self._check_folder()
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        descriptor = os.open(self._path, flags, 0o600)
        try:
            found = os.fstat(descriptor)
        finally:
            os.close(descriptor)
        is_own = stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid()
        if not is_own or found.st_mode & _OTHERS_WRITE:
            raise InvalidArgumentError(
                f"{self._path} is no file that you alone can write: others could make it forget "
                "nonces; chmod 600 it, or name another"
            )

    def _check_folder(self) -> None:
        """A sticky folder is none either: a journal of another's making counts as ours does."""
        folder = self._path.absolute().parent
        found = folder.stat()
        if found.st_uid not in (_ROOT, os.geteuid()) or found.st_mode & _OTHERS_WRITE:
            raise InvalidArgumentError(
                f"{folder} is another user's, or others may make files in it: with a journal "
                f"beside {self._path.name} they could make it forget nonces; chmod go-w the "
                "folder, or name a file in another one"
            )
