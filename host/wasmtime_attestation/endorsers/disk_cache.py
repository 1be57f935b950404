"""What services answered, kept on disk: byte for byte, found by question, whole or not at all.

Whatever is read is checked against its digest, and counts no more than what comes from the
network: endorsements prove themselves whenever they are used. A cache that cannot be used is a
reason to warn, never to fail.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from wasmtime_attestation.endorsements.x509 import MAX_SIZE
from wasmtime_attestation.endorsers import cache_entry
from wasmtime_attestation.endorsers.cache_folder import CacheFolder
from wasmtime_attestation.endorsers.question import Question, Reply
from wasmtime_attestation.errors import UnavailableError
from wasmtime_attestation.evidence.strict_json import Json

log = logging.getLogger(__name__)
MAX_ENTRIES = 4096
MAX_BYTES = 128 << 20
_FORMAT = "wasmtime-attestation cache 1"
_MAX_HEAD = 1 << 16
"""Bytes of an entry before its body."""
MAX_ENTRY = _MAX_HEAD + MAX_SIZE
"""Bytes of a file."""
_LAST_SECOND = int(datetime.max.replace(tzinfo=UTC).timestamp()) - 1


@dataclass(frozen=True, slots=True)
class Entry:
    """An answer that was kept.

    Attributes:
        fetched: when it came.
        reply: what came; None where the service said that there is none.
    """

    fetched: datetime
    reply: Reply | None


class DiskCache:
    """The answers in a folder.

    Args:
        folder: where they are; it is made when something is to be kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._warned = False

    def read(self, question: Question) -> Entry | None:
        """Returns what was answered, or None; an entry that is not whole is removed."""
        try:
            if not self._folder.exists():
                return None
            with CacheFolder.open(self._folder) as folder:
                data = folder.read(question.key, MAX_ENTRY)
                if data is None:
                    return None
                try:
                    return decode(data, question)
                except (ValueError, RecursionError) as error:
                    log.info("cache entry %s is dropped: %s", question.key, error)
                    folder.remove(question.key)
        except (UnavailableError, OSError) as error:
            self._warn(error)
        return None

    def write(self, question: Question, entry: Entry) -> None:
        """Keeps an answer, and removes the oldest ones where there are too many."""
        try:
            with CacheFolder.open(self._folder) as folder:
                folder.write(question.key, encode(entry, question))
                folder.trim(MAX_ENTRIES, MAX_BYTES)
        except (UnavailableError, OSError) as error:
            self._warn(error)

    def _warn(self, error: UnavailableError | OSError) -> None:
        """Says it once: the next entry has the same fate."""
        if not self._warned:
            self._warned = True
            reason = error.strerror if isinstance(error, OSError) else error
            log.warning("answers are not kept: %s", reason)


def encode(entry: Entry, question: Question) -> bytes:
    """Writes an entry."""
    reply = entry.reply or Reply(b"")
    head: dict[str, Json] = {
        "question": question.key,
        "url": question.url,
        "fetched": int(entry.fetched.timestamp()),
        "found": entry.reply is not None,
        "headers": dict(reply.headers),
    }
    return cache_entry.seal(_FORMAT, head, reply.body)


@dataclass(frozen=True, slots=True)
class Description:
    """What an entry says about itself.

    Attributes:
        key: of the question, in hex.
        url: where it was asked.
        fetched: when the answer came.
        found: whether there was one.
    """

    key: str
    url: str
    fetched: datetime
    found: bool


def describe(data: bytes) -> Description:
    """Reads what an entry says, whatever question it answers.

    Raises:
        ValueError: it is not whole.
        RecursionError: its head is nested too deep.
    """
    head, _ = cache_entry.unseal(_FORMAT, data)
    match head:
        case {
            "question": str(key),
            "url": str(url),
            "fetched": int(fetched),
            "found": bool(found),
        } if 0 <= fetched <= _LAST_SECOND:
            return Description(key, url, datetime.fromtimestamp(fetched, UTC), found)
        case _:
            raise ValueError("its head lacks something")


def decode(data: bytes, question: Question) -> Entry:
    """Reads an entry.

    Raises:
        ValueError: it is not whole, or of another question.
    """
    head, body = cache_entry.unseal(_FORMAT, data)
    match head:
        case {
            "question": question.key,
            "fetched": int() as fetched,
            "found": bool() as found,
            "headers": dict() as headers,
        } if 0 <= fetched <= _LAST_SECOND:
            named = {name: value for name, value in headers.items() if isinstance(value, str)}
            reply = Reply(body, named) if found else None
            return Entry(datetime.fromtimestamp(fetched, UTC), reply)
        case _:
            raise ValueError("it is the answer to another question")
