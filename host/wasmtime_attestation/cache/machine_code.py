"""Machine code of guests on disk, authenticated: wasmtime runs whatever it is given as such.

An entry is a file of three lines and the code: the format; HMAC-SHA256 of all that follows, in
hex; a head of JSON. The key is a file of the same folder, which is this user's alone: whoever can
read it can replace the program that runs guests as well. What does not verify is as good as absent.
"""

from __future__ import annotations

import hmac
import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import TypeVar

from wasmtime_attestation.cache.sealed_memory import SealedMemory
from wasmtime_attestation.endorsers.cache_folder import CacheFolder, default_folder
from wasmtime_attestation.errors import UnavailableError

log = logging.getLogger(__name__)
KEY = "key"
"""The name of the file with the key; all others are entries."""
_FORMAT = b"wasmtime-attestation machine code 1\n"
_KEY_SIZE = 32
_MAC_LINE = 65
_MAX_HEAD = 1 << 16
_CHUNK = 1 << 20
_MOST_ENTRIES = 4096
T = TypeVar("T")


def default_directory() -> Path | None:
    """Returns the folder of this user's machine code, beside that of endorsements, if any."""
    folder = default_folder()
    return None if folder is None else folder.with_name(f"{folder.name}-code")


@dataclass(frozen=True, slots=True)
class Entry:
    """Machine code that was kept.

    Attributes:
        head: what was said of it.
        code: the code.
    """

    head: Mapping[str, str]
    code: SealedMemory


class MachineCodeFolder:
    """The machine code in a folder; a folder that fails never stops a guest.

    Args:
        folder: where it is; it is made when something is to be kept.
        size: how many bytes are kept.
        is_chosen: whether somebody asked for it, and wants to know if it fails.
    """

    def __init__(self, folder: Path, size: int, *, is_chosen: bool = True) -> None:
        self._folder = folder
        self._size = size
        self._level = logging.WARNING if is_chosen else logging.INFO

    def read(self, name: str) -> Entry | None:
        """Returns what was kept under a name, verified, or None; what does not verify is removed.

        Args:
            name: of the entry; its head says it too.
        """
        if not os.path.lexists(self._folder):
            return None
        return self._in_folder(lambda folder: _read(folder, name, self._size))

    def write(self, name: str, head: Mapping[str, str], code: bytes | bytearray) -> None:
        """Keeps machine code; what was not used for longest gives way.

        Args:
            name: of the entry.
            head: what is said of it; `name` is added.
            code: what wasmtime serialized.
        """
        content = json.dumps({**head, "name": name}).encode() + b"\n"
        size = len(_FORMAT) + _MAC_LINE + len(content) + len(code)
        if size > self._size:
            return

        def put(folder: CacheFolder) -> None:
            # Before, so that the folder never holds more than it may.
            folder.trim(_MOST_ENTRIES, self._size - size, kept=(KEY,))
            _make_key(folder)
            mac = _mac(folder)
            mac.update(content)
            mac.update(code)
            line = mac.hexdigest().encode() + b"\n"
            # What a crash leaves half written does not verify.
            folder.write(name, _FORMAT, line, content, code, is_durable=False)

        self._in_folder(put)

    def _in_folder(self, action: Callable[[CacheFolder], T]) -> T | None:
        try:
            with CacheFolder.open(self._folder, is_secret=True) as folder:
                return action(folder)
        except (UnavailableError, OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            log.log(self._level, "compiled guests are not kept in %s: %s", self._folder, reason)
            return None


def describe(folder: CacheFolder, name: str, limit: int) -> Mapping[str, str]:
    """Verifies an entry and returns its head.

    Args:
        folder: where it is.
        name: of the entry.
        limit: bytes that it may have.

    Raises:
        ValueError: it is none of this folder's, or not what was written.
    """
    mac, file = _mac(folder), folder.open_file(name)
    if file is None:
        raise ValueError("it is no file of this user's alone")
    with file:
        claimed, head = _start(file, mac)
        for _ in _parts(file, mac, limit):
            pass
    return _verified(name, claimed, head, mac)


def _read(folder: CacheFolder, name: str, limit: int) -> Entry | None:
    file = folder.open_file(name)
    if file is None:
        return None
    with file:
        try:
            mac = _mac(folder)
            claimed, line = _start(file, mac)
            # Copied first: the file could change between being verified and being loaded.
            code = SealedMemory(_parts(file, mac, limit))
            head = _verified(name, claimed, line, mac)
        except ValueError as error:
            log.info("compiled guest %s is dropped: %s", name, error)
            folder.remove(name)
            return None
    folder.touch(name)
    return Entry(head, code)


def _start(file: BufferedReader, mac: hmac.HMAC) -> tuple[bytes, bytes]:
    """Returns the authentication code and the head that an entry has."""
    if file.readline(len(_FORMAT)) != _FORMAT:
        raise ValueError("it is of another format")
    claimed, head = file.readline(_MAC_LINE), file.readline(_MAX_HEAD)
    mac.update(head)
    return claimed, head


def _parts(file: BufferedReader, mac: hmac.HMAC, limit: int) -> Iterator[memoryview]:
    buffer = memoryview(bytearray(_CHUNK))
    left = limit
    while count := file.readinto(buffer):
        left -= count
        if left < 0:
            raise ValueError("it is too large")
        mac.update(buffer[:count])
        yield buffer[:count]


def _verified(name: str, claimed: bytes, line: bytes, mac: hmac.HMAC) -> Mapping[str, str]:
    if not hmac.compare_digest(claimed, mac.hexdigest().encode() + b"\n"):
        raise ValueError("it is not what was written")
    head: Mapping[str, str] = json.loads(line)
    if head["name"] != name:
        raise ValueError("it has the name of another entry")
    return head


def _mac(folder: CacheFolder) -> hmac.HMAC:
    key = folder.read(KEY, _KEY_SIZE)
    if key is None or len(key) != _KEY_SIZE:
        raise ValueError("there is no key for it")
    mac = hmac.new(key, digestmod="sha256")
    mac.update(_FORMAT)
    return mac


def _make_key(folder: CacheFolder) -> None:
    """Makes the key of a folder, unless it has one; one that is damaged is replaced."""
    key = folder.read(KEY, _KEY_SIZE)
    if key is None or len(key) != _KEY_SIZE:
        # If another process made one by now, what that one writes is compiled once more.
        folder.remove(KEY)
        folder.create(KEY, os.urandom(_KEY_SIZE))
