"""What is in the caches on disk, for people: whose, of what, and whether it still counts."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from wasmtime_attestation.cache import disk, machine_code, token_entry
from wasmtime_attestation.endorsers import disk_cache
from wasmtime_attestation.endorsers.cache_folder import CacheFolder, StoredFile
from wasmtime_attestation.evidence.strict_json import Json

Members = dict[str, Json]


class Cache(StrEnum):
    """The caches."""

    TOKENS = "tokens"
    ENDORSEMENTS = "endorsements"
    CODE = "code"


class State(StrEnum):
    """Whether an entry counts."""

    GOOD = "good"
    EXPIRED = "expired"
    FOREIGN = "of another boot or machine"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class Item:
    """One entry.

    Attributes:
        cache: where it is.
        name: of its file.
        size: bytes of it.
        state: whether it counts.
        members: what it says; of a token no more than its digest.
    """

    cache: Cache
    name: str
    size: int
    state: State
    members: Members

    def to_json(self) -> Members:
        """Returns it for programs."""
        return {
            "cache": self.cache.value,
            "name": self.name,
            "size": self.size,
            "state": self.state.value,
            **self.members,
        }


@dataclass(frozen=True, slots=True)
class Place:
    """A folder that is a cache.

    Attributes:
        cache: which one.
        folder: where it is; it need not be there.
    """

    cache: Cache
    folder: Path

    def items(self, now: int, boot: bytes | None) -> Iterator[Item]:
        """Reads every entry, the one that was not used for longest first.

        Args:
            now: the time, in seconds since the Unix epoch.
            boot: which boot of which machine this is.

        Raises:
            UnavailableError: the folder cannot be used.
        """
        if not os.path.lexists(self.folder):
            return
        with CacheFolder.open(self.folder, is_secret=self._is_secret) as folder:
            for file in folder.files():
                match self.cache:
                    case Cache.CODE if file.name == machine_code.KEY:
                        continue
                    case Cache.CODE:
                        yield _code(folder, file)
                    case Cache.TOKENS:
                        data = folder.read(file.name, disk.MAX_ENTRY)
                        yield self._item(file, data, lambda entry: _token(entry, now, boot))
                    case Cache.ENDORSEMENTS:
                        data = folder.read(file.name, disk_cache.MAX_ENTRY)
                        yield self._item(file, data, _endorsement)

    def clear(self) -> tuple[int, int]:
        """Removes every entry.

        Returns:
            how many were there, and how many still are.

        Raises:
            UnavailableError: the folder cannot be used.
        """
        if not os.path.lexists(self.folder):
            return 0, 0
        with CacheFolder.open(self.folder, is_secret=self._is_secret) as folder:
            before = self._entries(folder)
            for file in folder.files():
                folder.remove(file.name)
            return before, self._entries(folder)

    @property
    def _is_secret(self) -> bool:
        return self.cache is not Cache.ENDORSEMENTS

    def _entries(self, folder: CacheFolder) -> int:
        others = {machine_code.KEY} if self.cache is Cache.CODE else ()
        return sum(file.name not in others for file in folder.files())

    def _item(
        self,
        file: StoredFile,
        data: bytes | None,
        read: Callable[[bytes], tuple[str, State, Members]],
    ) -> Item:
        """Reads an entry; one under a name that is not its own is never found, but by accident."""
        state, members = State.DAMAGED, Members()
        if data is None:
            members = {"reason": "it is no file of this user's alone, or too large"}
            return Item(self.cache, file.name, file.size, state, members)
        try:
            name, state, members = read(data)
            if name != file.name:
                state, members = State.DAMAGED, {"reason": "it has the name of another entry"}
        except (ValueError, RecursionError) as error:
            members = {"reason": str(error)}
        return Item(self.cache, file.name, file.size, state, members)


def _token(data: bytes, now: int, boot: bytes | None) -> tuple[str, State, Members]:
    said = token_entry.describe(data)
    guest = bytes.fromhex(said.guest) if said.guest else None
    state = (
        State.GOOD if said.kept.result.timestamp <= now < said.kept.expires_at else State.EXPIRED
    )
    if boot is None or said.boot != boot.hex():
        state = State.FOREIGN
    members: Members = {
        "kind": said.kind,
        "target": said.target,
        "guest": said.guest or None,
        "service": said.service or None,
        "issued": said.kept.result.timestamp,
        "expires": said.kept.expires_at,
        "token-sha256": hashlib.sha256(said.kept.result.token.encode()).hexdigest(),
    }
    return f"{token_entry.guest_of(guest)}-{said.digest}", state, members


def _endorsement(data: bytes) -> tuple[str, State, Members]:
    said = disk_cache.describe(data)
    fetched = int(said.fetched.astimezone(UTC).timestamp())
    return said.key, State.GOOD, {"url": said.url, "fetched": fetched, "found": said.found}


def _code(folder: CacheFolder, file: StoredFile) -> Item:
    """Verifies compiled guests piece by piece: they can be large."""
    try:
        said = machine_code.describe(folder, file.name, file.size)
    except ValueError as error:
        return Item(Cache.CODE, file.name, file.size, State.DAMAGED, {"reason": str(error)})
    members = Members(guest=said["guest"], entry=said["entry"], compiler=said["compiler"])
    return Item(Cache.CODE, file.name, file.size, State.GOOD, members)


def instant(seconds: int) -> str:
    """Writes a time as RFC 3339; one that no calendar has as a number."""
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
    except (OverflowError, ValueError, OSError):
        return str(seconds)
