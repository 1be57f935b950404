"""Tokens of services on disk, so that they outlive the process; private to the user.

Tokens of this host are never there: their key dies with the process. An entry is of one boot of one
machine: after a reboot, and on a clone, it counts as none. Whoever reads a token verifies it
again, as if a stranger had brought it.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from wasmtime_attestation.cache import token_entry
from wasmtime_attestation.cache.kept import Kept
from wasmtime_attestation.cache.key import Key
from wasmtime_attestation.claims.verdict import TokenKind
from wasmtime_attestation.endorsers.cache_folder import CacheFolder, default_folder
from wasmtime_attestation.errors import UnavailableError

log = logging.getLogger(__name__)
MAX_ENTRY = 4 << 20
"""Bytes of a file."""
_NEVER = frozenset({TokenKind.EVIDENCE.value})
T = TypeVar("T")


def default_directory() -> Path | None:
    """Returns the folder of this user's tokens, beside that of endorsements, if any."""
    folder = default_folder()
    return None if folder is None else folder.with_name(f"{folder.name}-tokens")


class DiskTokens:
    """The tokens in a folder, of one boot of one machine; a folder that fails is warned of once.

    Args:
        folder: where they are; it is made when something is to be kept.
        boot: which boot of which machine this is, 32 bytes.
        entries: how many are kept.
        size: how many bytes of them.
    """

    def __init__(self, folder: Path, boot: bytes, entries: int, size: int) -> None:
        self._folder = folder
        self._boot = boot
        self._most_entries, self._most_bytes = entries, size
        self._warned = False
        # Once something could not be removed, nothing that was kept counts any more.
        self._is_readable = True

    def takes(self, key: Key) -> bool:
        """Whether what is kept under a key may be on a disk at all."""
        return key.kind not in _NEVER and key.nonce is None

    def read(self, key: Key) -> Kept | None:
        """Returns what was kept, unverified, or None; what cannot be of use here is removed."""
        if not self._is_readable:
            return None
        return self._in_folder(lambda folder: self._read(folder, key), None)

    def write(self, key: Key, kept: Kept) -> None:
        """Keeps a token; those that were not used for longest give way.

        Raises:
            ValueError: it may not be on a disk.
        """
        if not self.takes(key):
            raise ValueError(f"{key.kind} does not outlive the process")
        data = token_entry.encode(key, kept, self._boot)
        if len(data) > min(MAX_ENTRY, self._most_bytes) or not self._most_entries:
            return

        def put(folder: CacheFolder) -> None:
            # Before, so that the folder never holds more than it may.
            folder.trim(self._most_entries - 1, self._most_bytes - len(data))
            folder.write(token_entry.name_of(key), data)

        self._in_folder(put, None, make=True)

    def remove(self, key: Key) -> None:
        """Removes what was kept under a key."""
        self._in_folder(lambda folder: folder.remove(token_entry.name_of(key)), None)

    def clear(self, guest_digest: bytes | None) -> None:
        """Removes what was kept for a guest, of whatever boot."""
        self._clear(f"{token_entry.guest_of(guest_digest)}-")

    def clear_all(self) -> None:
        """Removes everything."""
        self._clear("")

    def _clear(self, start: str) -> None:
        is_absent = not os.path.lexists(self._folder)
        if not self._in_folder(lambda folder: _cleared(folder, start), otherwise=is_absent):
            self._is_readable = False

    def _read(self, folder: CacheFolder, key: Key) -> Kept | None:
        name = token_entry.name_of(key)
        data = folder.read(name, MAX_ENTRY)
        if data is None:
            return None
        try:
            kept = token_entry.decode(data, key, self._boot)
        except (ValueError, RecursionError) as error:
            log.info("cached token %s is dropped: %s", name, error)
            folder.remove(name)
            return None
        folder.touch(name)
        return kept

    def _in_folder(
        self, action: Callable[[CacheFolder], T], otherwise: T, *, make: bool = False
    ) -> T:
        """Does something in the folder; asking and clearing make none."""
        try:
            if not make and not os.path.lexists(self._folder):
                return otherwise
            with CacheFolder.open(self._folder, is_secret=True) as folder:
                return action(folder)
        except (UnavailableError, OSError) as error:
            self._warn(error)
            return otherwise

    def _warn(self, error: UnavailableError | OSError) -> None:
        """Says it once: the next entry has the same fate."""
        if not self._warned:
            self._warned = True
            reason = error.strerror if isinstance(error, OSError) else error
            log.warning("tokens are not kept on disk: %s", reason)


def _cleared(folder: CacheFolder, start: str) -> bool:
    """Removes the files whose names begin so; returns whether they are gone."""
    for name in _names(folder, start):
        folder.remove(name)
    return not _names(folder, start)


def _names(folder: CacheFolder, start: str) -> list[str]:
    return [file.name for file in folder.files() if file.name.startswith(start)]
